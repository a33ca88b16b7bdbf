"""One more angle, segment and measure are entries of the registry: everything that carries them follows by itself.

The tests add them to a copy of the package and look for them in shared memory, recordings, tables, exports and words.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.session.recording.write.recorder import Recorder
from subtalar.types import AngleBlock, BodySite, Estimates, SensorInfo

ROOT = Path(__file__).parents[2]

ANGLE = '''
    Angle(
        "foot_rotation",
        "foot",
        "Foot about the vertical.",
        "toes out",
        AngleWords("Foot rotation", "toes out", "to the path", "toes in", "to the path"),
        PageWords("Foot rotation", "toes out", "toes in"),
        recorded_as=20,
    ),
)
"""In the order of the last axis of every angle array.'''
FIELD = """
    shortest_day_s: float = field(default=math.nan, metadata=_number(60, "s", "A measure that nobody needs."))


STRIDE_COLUMNS"""
MEASURE = """
    Measure("shortest_day_s", _LOAD, "Shortest day", "s", 1, "ratio", TableHead("Short\\nday", 1, "Nobody needs it")),
)  # fmt: skip"""

SCRIPT = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from subtalar.acquisition.ring import RingReader, RingWriter
from subtalar.anatomy import ANGLE_COUNT, angle_index
from subtalar.dashboard.wording import SIGNALS, SIGNALS_OF, STRIDE_COLUMNS
from subtalar.exports.columns import ANGLES, STRIDES
from subtalar.report.angles_csv import ANGLE_COLUMNS
from subtalar.report.wording import WORDS_OF
from subtalar.session.recording.write.recorder import Recorder
from subtalar.session.recording.read.item_stream import read_items
from subtalar.strides import MEASURES, STRIDE_NAMES
from subtalar.types import AngleBlock, BodySite, Estimates, SampleBlock, SensorInfo, Stride

recording = Path(sys.argv[1])
t, nan, k = np.arange(0.0, 12.0, 0.02), float("nan"), angle_index("foot_rotation")
turned = 0.3 * np.sin(5.0 * t)
angles = np.full((len(t), ANGLE_COUNT), nan)
angles[:, k] = turned
block = AngleBlock("left", t, angles, 0.5 + 0.0 * angles, np.zeros(len(t), np.uint8), np.full((len(t), 4), nan))
stride = Stride("left", 1.0, 1.6, 1.0, 0.6, *([nan] * 11), 0, "ok", nan, nan, nan, shortest_day_s=8.5)
sites = [BodySite("left_thigh"), BodySite.LEFT_FOOT, BodySite.LEFT_SHANK]
recorder = Recorder(recording, [SensorInfo(site, 50.0) for site in sites], datetime.now(UTC))
for site in sites:
    acc = np.tile([0.0, 0.0, 9.80665], (len(t), 1))
    recorder.write_block(SampleBlock(site, t, t + 0.01, acc, np.stack([turned, 0.1 * turned, 0.0 * t], axis=1)))
recorder.write_estimates(Estimates(angles=(block,), strides=(stride,)))
recorder.close()
items = list(read_items(recording))
(back,) = (i for i in items if isinstance(i, AngleBlock))
(back_stride,) = (i for i in items if isinstance(i, Stride))
with RingWriter.create(angle_rows=1000) as writer, RingReader.attach(writer.name) as reader:
    writer.publish(Estimates(angles=(back,)))
    rows = reader.angles_since("left").rows
print(json.dumps({
    "angle in memory": bool((rows["angles_deg"][:, k] == turned).all()),
    "others unknown": not np.isfinite(np.delete(rows["angles_deg"], k, axis=1)).any(),
    "measure": back_stride.shortest_day_s,
    "angles.csv": list(ANGLE_COLUMNS),
    "exports": [c.name for c in (*ANGLES, *STRIDES)],
    "window": [SIGNALS[i].title for i in SIGNALS_OF["foot"]],
    "page": [words.name for words in WORDS_OF["foot"]],
    "strides.csv": list(STRIDE_NAMES),
    "summary": [m.key for m in MEASURES],
    "window's table": [c.title for c in STRIDE_COLUMNS],
}))
"""


def _put(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package whose registries have one entry more each."""
    source = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "host" / "subtalar", source / "subtalar", ignore=shutil.ignore_patterns("__pycache__"))
    _put(
        source / "subtalar" / "anatomy.py",
        ('\n)\n"""In the order of the last axis of every angle array.', ANGLE),
        ('Segment = Literal["foot", "shank"]', 'Segment = Literal["foot", "shank", "thigh"]'),
        ("    LEFT_FOOT =", '    LEFT_THIGH = "left_thigh"\n    RIGHT_THIGH = "right_thigh"\n    LEFT_FOOT ='),
        ('    "shank": SegmentFacts(', '    "thigh": SegmentFacts(("thigh", "femur")),\n    "shank": SegmentFacts('),
    )
    _put(
        source / "subtalar" / "strides.py",
        ("\n\nSTRIDE_COLUMNS", FIELD),
        ("\n)  # fmt: skip", MEASURE),
    )
    return source


def _run(source: Path, *arguments: str, code: str) -> str:
    # Compiling a whole estimator for a dozen seconds of samples would take minutes.
    environment = {**os.environ, "PYTHONPATH": str(source), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recorded(extended: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A recording made with the extended package, and what it saw on the way."""
    recording = tmp_path_factory.mktemp("recorded") / "walk.mcap"
    return recording, json.loads(_run(extended, str(recording), code=SCRIPT).splitlines()[-1])


def test_one_more_angle_is_one_entry(recorded: tuple[Path, dict[str, Any]]) -> None:
    _, seen = recorded
    assert seen["angle in memory"]
    assert seen["others unknown"]
    assert seen["angles.csv"][-3:] == ["foot_rotation_deg", "foot_rotation_sd_deg", "zero_sd_deg"]
    assert {"foot_rotation_deg", "foot_rotation_sd_deg"} <= set(seen["exports"])
    assert seen["window"] == ["Foot pitch", "Foot inversion", "Foot rotation"]
    assert seen["page"][-1] == "Foot rotation"


def test_one_more_measure_is_a_field_and_an_entry(recorded: tuple[Path, dict[str, Any]]) -> None:
    _, seen = recorded
    assert seen["measure"] == 8.5
    assert seen["strides.csv"][-1] == "shortest_day_s"
    assert "shortest_day_s" in seen["exports"]
    assert seen["summary"][-1] == "shortest_day_s"
    assert seen["window's table"][-1] == "Short\nday"


def test_a_sensor_on_one_more_segment_is_recorded_and_exported(
    extended: Path, recorded: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    recording, _ = recorded
    command = f"from subtalar.cli import main; main(['export', {str(recording)!r}, '--format', 'csv', '--out', 'out'])"
    _run(extended, code=f"import os; os.chdir({str(tmp_path)!r}); {command}")
    (samples,) = (tmp_path / "out").rglob("*samples*.csv*")
    with samples.open(newline="", encoding="utf-8") as file:
        sites = [row["sensor"] for row in csv.DictReader(file)]
    assert sites.count("left_thigh") == sites.count("left_foot") == 600


def test_a_recording_of_before_knows_nothing_of_what_came_later(extended: Path, tmp_path: Path) -> None:
    t = np.arange(0.0, 5.0, 0.02)
    ankle, unknown = np.outer(t, [1.0, 2.0, 3.0]), np.full((len(t), 4), np.nan)
    block = AngleBlock.of_ankle("left", t, ankle, 0.0 * ankle + 0.5, np.zeros(len(t), np.uint8), unknown)
    recorder = Recorder(tmp_path / "old.mcap", [SensorInfo(BodySite.LEFT_FOOT, 50.0)], datetime.now(UTC))
    recorder.write_estimates(Estimates(angles=(block,)))
    recorder.close()
    code = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from subtalar.anatomy import angle_index\nfrom subtalar.session.recording.read.item_stream import read_items\n"
        "from subtalar.types import AngleBlock\n"
        "(block,) = [i for i in read_items(Path(sys.argv[1])) if isinstance(i, AngleBlock)]\n"
        "new = block.angles_deg[:, angle_index('foot_rotation')]\n"
        "print(len(new), np.isnan(new).all(), block.ankle_deg.sum())"
    )
    n, is_unknown, total = _run(extended, str(tmp_path / "old.mcap"), code=code).split()
    assert (int(n), is_unknown) == (len(t), "True")
    assert float(total) == ankle.sum()
