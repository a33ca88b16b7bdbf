"""``subtalar session encrypt | decrypt | erase`` and ``subtalar participant erase``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from subtalar.cli.missing import missing_package
from subtalar.errors import InputError, SubtalarError

if TYPE_CHECKING:
    from subtalar.session.catalogue import Catalogue
    from subtalar.session.catalogue.erase import Erasure

ENVIRONMENT_VARIABLE = "SUBTALAR_PASSPHRASE"
_FD = click.option(
    "--passphrase-fd",
    "descriptor",
    type=int,
    metavar="N",
    help=f"Read the passphrase from this file descriptor instead of asking; {ENVIRONMENT_VARIABLE} holds it otherwise.",
)
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("session_path", metavar="SESSION")
@_FD
def encrypt(session_path: str, *, descriptor: int | None) -> None:
    """Encrypt a SESSION with a passphrase: a recording, the folder of a session, or all recordings of a folder.

    The notes on it are encrypted with it. The plain files are removed once the encrypted one has been checked. Who
    loses the passphrase loses the session.
    """
    try:
        from subtalar.session.encryption import encrypt_session
    except ImportError as error:
        raise missing_package(error, "encryption") from None
    from subtalar.session.catalogue.encrypted_sessions import keeping_catalogue_entry, sessions_to_encrypt

    sessions = sessions_to_encrypt(Path(session_path).expanduser().absolute())
    passphrase = _passphrase(descriptor, confirm=True)
    for path in sessions:
        with keeping_catalogue_entry(path):
            archive = encrypt_session(path, passphrase)
        click.echo(f"Encrypted: {archive}")


@click.command()
@click.argument("session_path", metavar="SESSION")
@_FD
def decrypt(session_path: str, *, descriptor: int | None) -> None:
    """Decrypt a SESSION, or all sessions of a folder. The encrypted file is removed once the plain ones are whole."""
    try:
        from subtalar.session.encryption import decrypt_session
    except ImportError as error:
        raise missing_package(error, "encryption") from None
    from subtalar.session.catalogue.encrypted_sessions import archives_to_decrypt, restore_catalogue_entry

    archives = archives_to_decrypt(Path(session_path).expanduser().absolute())
    passphrase = _passphrase(descriptor, confirm=False)
    for archive in archives:
        path = decrypt_session(archive, passphrase)
        restore_catalogue_entry(path)
        click.echo(f"Decrypted: {path}")


@click.command("erase")
@click.argument("session_path", metavar="SESSION")
@_YES
def erase_session(session_path: str, *, yes: bool) -> None:
    """Erase one SESSION with its notes and the results that were made from it. Shows first what will go."""
    from subtalar.session.catalogue import open_catalogue
    from subtalar.session.catalogue.erase import plan_session

    with open_catalogue() as catalogue:
        plan = plan_session(catalogue, Path(session_path).expanduser().absolute())
    _confirm(plan, yes=yes)
    with open_catalogue() as catalogue:
        _erase(catalogue, plan_session(catalogue, Path(session_path).expanduser().absolute()))


@click.command("erase")
@click.argument("code")
@_YES
def erase_participant(code: str, *, yes: bool) -> None:
    """Erase a participant: recordings, notes, results and every trace in the catalogue. Shows first what will go."""
    from subtalar.session.catalogue import checked_code, open_catalogue
    from subtalar.session.catalogue.erase import plan_participant

    code = checked_code(code)
    with open_catalogue() as catalogue:
        plan = plan_participant(catalogue, code)
    _confirm(plan, yes=yes)
    with open_catalogue() as catalogue:  # nobody waits for us while a person reads
        _erase(catalogue, plan_participant(catalogue, code))


def _confirm(plan: "Erasure", *, yes: bool) -> None:
    count = len(plan.sessions)
    owner = f" of {plan.code}" if plan.code else ""
    click.echo(f"{count} session{'' if count == 1 else 's'}{owner}; these will be erased:")
    for path in plan.paths:
        click.echo(f"  {path}{os.sep if path.is_dir() else ''}")
    for sentence in plan.kept:
        click.echo(f"  Not erased: {sentence}")
    if not yes and not click.confirm("Erase them? This cannot be undone", default=False):
        raise SubtalarError("Nothing was erased.")


def _erase(catalogue: "Catalogue", plan: "Erasure") -> None:
    from subtalar.session.catalogue.erase import erase

    failed = erase(catalogue, plan)
    if failed:
        raise SubtalarError(" ".join(failed))
    click.echo("Erased.")


def _passphrase(descriptor: int | None, *, confirm: bool) -> str:
    """From a descriptor, the environment or the person, who types it twice where a slip would lose the session."""
    if descriptor is not None:
        try:
            with os.fdopen(os.dup(descriptor), "r", encoding="utf-8") as file:
                return file.readline().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"No passphrase can be read from file descriptor {descriptor}: open it first.") from error
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return named
    return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))
