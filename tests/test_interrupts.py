"""Somebody stops the program, or the disk does: one line, no partial file, and training goes on.

In one process where that shows it, in processes of their own where it does not: what Python does at
its end, and what a real signal, a real full disk and a real closed pipe do.
"""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from small import recipe

from mfca_tutorial import Codec, data, interrupts
from mfca_tutorial.checkpoint import save_checkpoint
from mfca_tutorial.cli import main
from mfca_tutorial.config import TINY
from mfca_tutorial.learning.trainer import Trainer

PHOTO = data.photograph("coffee")[100:170, 200:290]  # (70, 90, 3)
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
DEADLINE = 60  # seconds; a test that waits longer has failed


@pytest.fixture
def names(tmp_path):
    """A folder: a picture, its .mfca file, a model, and an old file under each output's name."""
    torch.manual_seed(0)
    save_checkpoint(Codec(TINY).freeze(), tmp_path / "m.safetensors")
    codec = Codec.from_pretrained(tmp_path / "m.safetensors")
    (tmp_path / "set").mkdir()
    data.write_image(PHOTO, tmp_path / "set" / "a.png")
    (tmp_path / "a.mfca").write_bytes(codec.compress(PHOTO, 30))
    for name in ("out.mfca", "out.png", "out.json"):
        (tmp_path / name).write_text("old")
    return tmp_path


@pytest.fixture(autouse=True)
def usual_signals():
    """Undo what `nohup make test` and `make test &` do: they ignore a signal, here and in children.

    The program leaves ignored signals ignored, so nothing would be interrupted.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, usual)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


COMMANDS = {
    "encode": "encode {0}/set/a.png {0}/out.mfca --checkpoint {0}/m.safetensors",
    "decode": "decode {0}/a.mfca {0}/out.png --checkpoint {0}/m.safetensors",
    "eval": "eval {0}/set --out {0}/out.json --qualities 30 --checkpoint {0}/m.safetensors",
}
each_command = pytest.mark.parametrize("command", COMMANDS)


def words_of(command, folder):
    return COMMANDS[command].format(folder).split()


def assert_nothing_has_changed(folder):
    names = ["a.mfca", "m.safetensors", "out.json", "out.mfca", "out.png", "set"]
    assert sorted(os.listdir(folder)) == names
    assert {(folder / name).read_text() for name in names if name.startswith("out")} == {"old"}


def fail_half_way(monkeypatch, action):
    """From now on, a file is written up to its middle, and then something happens."""
    whole = Path.write_bytes

    def half(file, content):
        whole(file, content[: len(content) // 2])
        action()

    monkeypatch.setattr(Path, "write_bytes", half)


# ---- in this process


@each_command
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_a_file_is_written(names, command, number, monkeypatch, capsys):
    fail_half_way(monkeypatch, lambda: signal.raise_signal(number))
    before = [signal.getsignal(other) for other in SIGNALS]
    assert main(words_of(command, names)) == 128 + number
    assert [signal.getsignal(other) for other in SIGNALS] == before
    assert capsys.readouterr().err.splitlines()[-1] == "mfca: interrupted"
    assert_nothing_has_changed(names)


def raise_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@each_command
def test_a_full_disk(names, command, monkeypatch, capsys):
    fail_half_way(monkeypatch, raise_full)
    words = words_of(command, names)
    assert main(words) == 2
    target = next(word for word in words if "/out." in word)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"mfca: {target}: No space left on device"
    assert_nothing_has_changed(names)


@each_command
def test_an_old_file_that_is_read_only(names, command, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda file, mode: False)  # root may write everything
    assert main(words_of(command, names)) == 2
    assert "read-only" in capsys.readouterr().err
    assert_nothing_has_changed(names)


@each_command
def test_a_read_only_folder_is_noticed_before_the_work(names, command, monkeypatch, capsys):
    for name in ("out.mfca", "out.png", "out.json"):
        (names / name).unlink()
    monkeypatch.setattr(os, "access", lambda file, mode: Path(file) != names)
    monkeypatch.setattr(Codec, "from_pretrained", None)
    assert main(words_of(command, names)) == 2
    assert capsys.readouterr().err.endswith(f": {names} is read-only\n")
    assert sorted(os.listdir(names)) == ["a.mfca", "m.safetensors", "set"]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 9.31 GiB.\nGPU 0 has"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        MemoryError("Unable to allocate 9.31 GiB for an array with shape (9,)"),
        MemoryError(),
    ],
)
def test_no_memory_is_one_line(names, monkeypatch, capsys, error):
    def compress(*_, **__):
        raise error

    monkeypatch.setattr(Codec, "compress", compress)
    assert main(words_of("encode", names)) == 2
    err = capsys.readouterr().err
    assert err.startswith("mfca: not enough memory")
    assert err.count("\n") == 1
    assert_nothing_has_changed(names)


def test_other_runtime_errors_are_faults_of_the_program(names, monkeypatch):
    def compress(*_, **__):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Codec, "compress", compress)
    with pytest.raises(RuntimeError, match="mat1"):
        main(words_of("encode", names))


def test_commands_run_in_threads_that_may_not_answer_signals(names):
    status = []
    words = words_of("encode", names)
    thread = threading.Thread(target=lambda: status.append(main(words)))
    thread.start()
    thread.join()
    assert status == [0]


@pytest.mark.parametrize("answers", [interrupts.raised, interrupts.noted])
def test_a_signal_that_is_ignored_stays_ignored(answers):
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        with answers():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, old)


def test_the_second_signal_does_not_wait():
    with interrupts.noted() as seen:
        signal.raise_signal(signal.SIGTERM)
        assert seen == [signal.SIGTERM]
        with pytest.raises(interrupts.Interrupted) as caught:
            signal.raise_signal(signal.SIGINT)
    assert caught.value.number == signal.SIGINT


# ---- training


@pytest.fixture(scope="module")
def photographs():
    """Four of them: two to learn from, two held out."""
    names = ("coffee", "rocket", "chelsea", "astronaut")
    return [data.photograph(name)[:300, :300] for name in names]


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path, photographs):
    straight = Trainer(recipe(tmp_path / "straight", steps=12), photographs)
    straight.run()

    # a signal in the middle of a step, between the two optimisers
    first = Trainer(recipe(tmp_path / "run", steps=12), photographs)
    step_of_adam = first.state.optimizers[0].step

    def step():
        step_of_adam()
        if first.state.step_count == 6:
            signal.raise_signal(signal.SIGTERM)

    first.state.optimizers[0].step = step
    with pytest.raises(interrupts.Interrupted) as caught:
        first.run()
    assert caught.value.number == signal.SIGTERM
    names = ["average.safetensors", "state.pt", "trunk.safetensors"]
    assert sorted(os.listdir(tmp_path / "run")) == names

    second = Trainer(recipe(tmp_path / "run", steps=12, resume=True, seed=9), photographs)
    second.run()
    assert second.state.step_count == 12
    for name, value in straight.state.average.state_dict().items():
        assert torch.equal(value, second.state.average.state_dict()[name]), name


def test_a_full_disk_leaves_the_state_before(tmp_path, photographs, monkeypatch):
    trainer = Trainer(recipe(tmp_path), photographs)
    trainer.step()
    trainer.save()
    old = (tmp_path / "state.pt").read_bytes()
    trainer.step()
    with monkeypatch.context() as context:
        fail_half_way(context, raise_full)
        with pytest.raises(OSError, match="No space left.*state.pt"):
            trainer.save()
    assert (tmp_path / "state.pt").read_bytes() == old
    assert sorted(os.listdir(tmp_path)) == ["average.safetensors", "state.pt"]


def test_what_a_killed_process_left_is_removed(tmp_path, photographs):
    (tmp_path / ".state.pt.123.tmp").write_text("half a state")
    (tmp_path / ".mine.tmp").write_text("not ours")
    Trainer(recipe(tmp_path, steps=1), photographs).run()
    hidden = [name for name in os.listdir(tmp_path) if name.startswith(".")]
    assert hidden == [".mine.tmp"]


@pytest.mark.parametrize("content", [b"", b"no state", b"PK\x03\x04"])
def test_a_damaged_state_is_one_line(tmp_path, photographs, content):
    (tmp_path / "state.pt").write_bytes(content)
    trainer = Trainer(recipe(tmp_path, resume=True), photographs)
    with pytest.raises(ValueError, match="state.pt: not a state") as caught:
        trainer.run()
    assert "\n" not in str(caught.value)


def test_a_state_of_another_codec_is_one_line(tmp_path, photographs):
    Trainer(recipe(tmp_path), photographs).save()
    other = Trainer(recipe(tmp_path, resume=True, no_attention=True), photographs)
    with pytest.raises(ValueError, match="state.pt: not a state") as caught:
        other.run()
    assert "\n" not in str(caught.value)


def test_rows_that_a_resumed_run_takes_again_are_dropped(tmp_path, photographs, monkeypatch):
    trainer = Trainer(recipe(tmp_path, steps=300), photographs)
    trainer.state.step_count = 200
    trainer.log.file.write_text("step,loss\n100,1\n200,2\n300,3\n40")
    trainer.log.start(trainer.state)
    assert trainer.log.file.read_text() == "step,loss\n100,1\n200,2\n"


# ---- processes


def start(*words, code="", **options):
    """`mfca` in a process of its own; `code` runs first."""
    program = (
        f"import sys\n{code}\nfrom mfca_tutorial.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": ""},
        **options,
    )


# the writing of a file stops in its middle, and says so
STOP_HALF_WAY = """
import pathlib, time
whole = pathlib.Path.write_bytes
def half(file, content):
    whole(file, content[: len(content) // 2])
    print("half", flush=True)
    time.sleep(60)
pathlib.Path.write_bytes = half
"""


@pytest.mark.parametrize(
    ("command", "number"),
    [("encode", signal.SIGINT), ("decode", signal.SIGTERM)],
)
def test_a_real_signal_while_a_file_is_written(names, command, number):
    process = start(*words_of(command, names), code=STOP_HALF_WAY, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "half\n"
    assert len(os.listdir(names)) == 7  # the temporary file is there
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + number
    lines = [line for line in err.splitlines() if "note:" not in line]
    assert lines == ["mfca: interrupted"]
    assert_nothing_has_changed(names)


def small_disk():
    """No file of this process may be larger than 100 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def test_a_real_limit_on_files(names):
    process = start(*words_of("encode", names), preexec_fn=small_disk, stdout=subprocess.PIPE)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    last = err.splitlines()[-1]
    assert last.startswith(f"mfca: {names}/out.")
    assert last.endswith(": File too large")
    assert_nothing_has_changed(names)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("words", ["info {0}/a.mfca", "encode {0}/set/a.png -"])
def test_standard_output_on_a_full_disk(names, words):
    options = ["--checkpoint", names / "m.safetensors"] if words.startswith("encode") else []
    with open("/dev/full", "w") as full:
        process = start(*words.format(names).split(), *options, stdout=full)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert err.splitlines()[-1] == "mfca: standard output: No space left on device"
    assert "Exception ignored" not in err


@pytest.mark.parametrize("words", ["info {0}/a.mfca", "encode {0}/set/a.png -"])
def test_a_pipe_that_nobody_reads(names, words):
    options = ["--checkpoint", names / "m.safetensors"] if words.startswith("encode") else []
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*words.format(names).split(), *options, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert err.splitlines()[-1] == "mfca: nothing reads the output any more"
    assert "Exception ignored" not in err


def test_help_into_a_pipe_that_nobody_reads():
    reader, writer = os.pipe()
    os.close(reader)
    process = start("--help", stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=DEADLINE)
    assert err == ""


def test_a_real_run_is_stopped_and_goes_on(tmp_path, photographs):
    (tmp_path / "set").mkdir()
    for i, photograph in enumerate(photographs):
        data.write_image(photograph, tmp_path / "set" / f"{i}.png")
    out = tmp_path / "run"
    words = f"train {tmp_path}/set --out {out} --preset tiny --crop 192 --batch 1 --head-steps 1"
    words += " --held-out 2 --device cpu"
    quick = "from mfca_tutorial.learning import trainer\ntrainer.LOG_EVERY = 1"
    process = start(*words.split(), "--steps", 100_000, code=quick)

    # three steps are in its log
    end = time.monotonic() + DEADLINE
    log = out / "log.csv"
    while not log.exists() or log.read_text().count("\n") < 4:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + signal.SIGTERM
    assert err == "mfca: interrupted; the same command with --resume goes on\n"
    assert sorted(os.listdir(out)) == ["average.safetensors", "log.csv", "state.pt"]

    # and on it goes, to an end that is near
    reached = torch.load(out / "state.pt", weights_only=True)["step"]
    process = start(*words.split(), "--steps", reached + 2, "--resume")
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    assert json.loads((out / "report.json").read_text())["steps"] == reached + 2
    steps = [int(row.split(",")[0]) for row in log.read_text().splitlines()[1:]]
    assert steps == sorted(set(steps))
    codec = Codec.from_pretrained(out / "model.safetensors")
    assert np.ptp(codec.decode_pixels(codec.compress(PHOTO, 50))) >= 0
