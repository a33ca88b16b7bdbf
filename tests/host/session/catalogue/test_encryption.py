"""Encryption at rest: opened by the passphrase, by other people's tools as well, never at the price of data."""

import os
import shutil
import subprocess
import sys
import tarfile

import pytest

from subtalar.errors import InputError
from subtalar.session import open_session
from subtalar.session.catalogue import Assignment, add_session_note, open_catalogue
from subtalar.session.catalogue.encrypted_sessions import (
    archives_to_decrypt,
    keeping_catalogue_entry,
    restore_catalogue_entry,
    sessions_to_encrypt,
)
from subtalar.session.catalogue.layout import CATALOGUE, ENCRYPTED_SUFFIX, companion_path

pyrage = pytest.importorskip("pyrage", reason="encryption needs pyrage")
from subtalar.session import encryption  # noqa: E402

PASSPHRASE = "correct horse battery"
# A key encrypted with the passphrase at work factor 4: made with `cryptography` from the text of the age format, to
# spare the tests the seconds that the true work factor costs on purpose.
IDENTITY = "AGE-SECRET-KEY-1CWWN5PH329KX9E4WHXTT7JY2CXCXYMRYWDCU74TKJ6HMKVSCNYDQFWK22H"
WRAPPED = bytes.fromhex(
    "6167652d656e6372797074696f6e2e6f72672f76310a2d3e20736372797074202b7552724657615950733144464b514b4d44"
    "5744694120340a495232573053302b5a343751413768495061474b6c7a56302f5266584450423350354647476b5965496138"
    "0a2d2d2d204877384e4f3235512b61665a314e316c7a5573494967335548616c61414938574e3648756a57335364436f0a95"
    "5daba55453010e3f3af928a4e00963a15fc5347ca986eefc0fda4f3c9ca1d6f4d875fd56a695047bfb2f217dd03e9769c0f6"
    "e4ec8b33cee858397862ecbf5fdf3c3c5f0bb7c7f63235a9db320b5c41997473d1b71aba8cc73ba47f73166a3e0ddd8ae241"
    "f5b3bf7cab9a"
)


@pytest.fixture
def cheap_key(monkeypatch):
    monkeypatch.setattr(encryption, "new_key", lambda passphrase: (pyrage.x25519.Identity.from_str(IDENTITY), WRAPPED))


@pytest.fixture
def walk(folder, record):
    path = record(folder / "ö walk.mcap", "P001", "baseline", "barefoot")
    add_session_note(path, "Knieschmerz")
    return path


def sealed(path):
    with keeping_catalogue_entry(path):
        return encryption.encrypt_session(path, PASSPHRASE)


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and not p.name.startswith(CATALOGUE[:9])}


def test_there_and_back(cheap_key, walk, folder):
    before = contents(folder)
    with open_catalogue(folder) as catalogue:
        row = catalogue.sessions()[0]
    archive = sealed(walk)
    assert archive == companion_path(walk, ENCRYPTED_SUFFIX)
    assert sorted(p.name for p in folder.glob("ö*")) == sorted([archive.name, f"{walk.name}.about.json"])
    if sys.platform != "win32":
        assert archive.stat().st_mode & 0o077 == 0
    with open_catalogue(folder) as catalogue:
        hidden = catalogue.sessions()[0]
        assert (hidden.encrypted, hidden.assignment, hidden.facts, hidden.notes) == (
            True,
            row.assignment,
            row.facts,
            (),
        )
        assert catalogue.sessions(search="knieschmerz") == []
    assert encryption.decrypt_session(archive, PASSPHRASE) == walk
    restore_catalogue_entry(walk)
    after = contents(folder)
    after.pop(f"{walk.name}.about.json")
    assert after == before
    with open_catalogue(folder) as catalogue:
        assert catalogue.sessions()[0].notes == row.notes
        assert not catalogue.sessions()[0].encrypted


def test_nothing_plain_is_left_in_any_byte(cheap_key, walk, folder):
    with open_catalogue(folder):
        pass
    sealed(walk)
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"Knieschmerz" not in data, path
            assert b"MCAP0" not in data, path


def test_a_lost_catalogue_still_knows_whose_the_encrypted_session_is(cheap_key, walk, folder):
    sealed(walk)
    (folder / CATALOGUE).unlink(missing_ok=True)
    with open_catalogue(folder) as catalogue:
        row = catalogue.sessions("P001")[0]
    assert (row.assignment, row.encrypted, row.state) == (Assignment("P001", "baseline", "barefoot"), True, "closed")
    assert row.facts.duration_s == pytest.approx(2.0, abs=0.1)


def test_tar_and_age_alone_open_it(cheap_key, walk, tmp_path):
    plain = walk.read_bytes()
    archive = sealed(walk)
    with tarfile.open(archive) as tar:
        # Python 3.11.2 knows no filters; later ones ask for one.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        tar.extractall(tmp_path / "out")
    out = tmp_path / "out"
    assert b"age -d -i key.age" in (out / "README.txt").read_bytes()
    identity = pyrage.passphrase.decrypt((out / "key.age").read_bytes(), PASSPHRASE).decode().strip()
    key = pyrage.x25519.Identity.from_str(identity)
    assert pyrage.decrypt((out / f"{walk.name}.age").read_bytes(), [key]) == plain


def test_opening_one_says_how_to_decrypt(cheap_key, walk):
    archive = sealed(walk)
    for path in (walk, archive):
        with pytest.raises(InputError, match="is encrypted: run `subtalar session decrypt"):
            open_session(path)


def test_a_wrong_passphrase_changes_nothing(cheap_key, walk, folder):
    archive = sealed(walk)
    before = contents(folder)
    with pytest.raises(InputError, match="passphrase is not that"):
        encryption.decrypt_session(archive, "correct horse batterY")
    assert contents(folder) == before


def test_every_cut_and_every_altered_stretch_is_found(cheap_key, walk, folder):
    plain = walk.read_bytes()
    archive = sealed(walk)
    whole = archive.read_bytes()
    with tarfile.open(archive) as tar:
        offsets = [m.offset_data + k * m.size // 12 for m in tar.getmembers()[2:] for k in range(12)]
    assert len(offsets) == 36
    for offset in offsets:
        altered = whole[:offset] + bytes(b ^ 1 for b in whole[offset : offset + 20]) + whole[offset + 20 :]
        for damaged in (whole[:offset], altered):
            archive.write_bytes(damaged)
            with pytest.raises(InputError, match="cut or altered"):
                encryption.decrypt_session(archive, PASSPHRASE)
            assert sorted(p.name for p in folder.glob("*walk*")) == sorted([archive.name, f"{walk.name}.about.json"])
            assert not list(folder.glob(".*"))
    archive.write_bytes(whole)
    assert encryption.decrypt_session(archive, PASSPHRASE).read_bytes() == plain


def test_a_folder_of_a_session(cheap_key, raw_folder, folder):
    session = raw_folder()
    before = {p.name: p.read_bytes() for p in session.iterdir()}
    archive = sealed(session)
    assert not session.exists()
    with pytest.raises(InputError, match="is encrypted"):
        open_session(session)
    assert archives_to_decrypt(session) == [archive]
    assert encryption.decrypt_session(archive, PASSPHRASE) == session
    assert {p.name: p.read_bytes() for p in session.iterdir()} == before


def test_a_folder_of_recordings_is_each_of_them(walk, folder, record):
    other = record(folder / "sub" / "b.mcap")
    assert sessions_to_encrypt(folder) == sorted([walk, other])


def test_what_fails_leaves_the_plain_session(cheap_key, walk, folder, monkeypatch):
    before = contents(folder)
    with pytest.raises(InputError, match="too short"):
        encryption.encrypt_session(walk, "1234567")
    # What comes out is not what went in: as if the disk had altered it.

    def altering(fd):
        if os.fstat(fd).st_size > 20_000:
            os.pwrite(fd, b"!", 20_000)

    monkeypatch.setattr(encryption.os, "fsync", altering)
    with pytest.raises(InputError, match="not what is read again"), keeping_catalogue_entry(walk):
        encryption.encrypt_session(walk, PASSPHRASE)
    assert contents(folder) == before


def test_what_is_in_the_way_is_never_overwritten(cheap_key, walk, folder):
    archive = sealed(walk)
    walk.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        encryption.decrypt_session(archive, PASSPHRASE)
    walk.unlink()
    notes = companion_path(walk, ".notes.jsonl")
    notes.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        encryption.decrypt_session(archive, PASSPHRASE)
    assert notes.read_bytes() == b"mine"
    assert not walk.exists()
    with pytest.raises(InputError, match="encrypted already"):
        encryption.encrypt_session(archive, PASSPHRASE)


MEMORY = """
import resource, sys
from pathlib import Path
import pyrage
from subtalar.session import encryption
IDENTITY, WRAPPED = sys.argv[2], bytes.fromhex(sys.argv[3])
encryption.new_key = lambda passphrase: (pyrage.x25519.Identity.from_str(IDENTITY), WRAPPED)
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
encryption.decrypt_session(encryption.encrypt_session(path, "correct horse battery"), "correct horse battery")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes of memory are Linux's unit")
def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "big.mcap"
    path.write_bytes(b"\x89MCAP0\r\n" + bytes(24 * 2**20))
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, path, IDENTITY, WRAPPED.hex()], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 12_000
    assert path.stat().st_size == 24 * 2**20 + 8
    shutil.rmtree(tmp_path)


@pytest.mark.slow
def test_the_true_work_factor(walk):
    plain = walk.read_bytes()
    archive = sealed(walk)
    assert archive.read_bytes().find(WRAPPED[:60]) < 0
    assert encryption.decrypt_session(archive, PASSPHRASE).read_bytes() == plain
