"""What nvidia-smi says, as recorded, and what of it keeps checks from a GPU: each reason in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlsys_path.levels import Level
from mlsys_path.machine import gpus, inspect
from mlsys_path.machine.gpus import Answer, Said, parse_gpus, read, visible, with_instances, with_processes
from mlsys_path.machine.inspect import Gpu
from mlsys_path.machine.requirements import missing, open_because
from mlsys_path.roadmap.model import Needs

H200 = "NVIDIA H200, 143771, 9.0, 580.159.04, 143151, 0, Default, Disabled, GPU-0a5f1c9e-1111-2222-3333-444455556666"
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.133\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n\n"
)
LOST = "Unable to determine the device handle for GPU0: 0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU\n"
UNKNOWN = "Failed to initialize NVML: Unknown Error\n"
OLD = 'Field "mig.mode.current" is not a valid field to query.\n\n'
LISTED = """\
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-aaaa1111-0000-0000-0000-000000000000)
  MIG 3g.40gb     Device  0: (UUID: MIG-11111111-aaaa-bbbb-cccc-000000000000)
  MIG 2g.20gb     Device  1: (UUID: MIG-22222222-aaaa-bbbb-cccc-000000000000)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-bbbb2222-0000-0000-0000-000000000000)
"""


def test_the_gpus_of_an_answer():
    (gpu,) = parse_gpus(H200)
    assert gpu == Gpu(
        "NVIDIA H200", 143_771, "9.0", "580.159.04", free_mb=143_151, busy=0, mode="Default",
        uuid="GPU-0a5f1c9e-1111-2222-3333-444455556666",
    )  # fmt: skip
    assert gpu.architecture == "sm_90"
    old = "NVIDIA H200, 143771, 9.0, 580.159.04\nNVIDIA GB10, [N/A], 12.1, 580.95\nNo devices were found\n"
    assert parse_gpus(old) == (
        Gpu("NVIDIA H200", 143_771, "9.0", "580.159.04"),
        Gpu("NVIDIA GB10", 0, "12.1", "580.95"),
    )
    unified = (
        "NVIDIA GB10, [N/A], 12.1, 580.95.05, [N/A], [N/A], Default, [N/A], GPU-1\nodd, name, 1, 9.0, 570.1\n"
    )
    assert parse_gpus(unified) == (
        Gpu("NVIDIA GB10", 0, "12.1", "580.95.05", mode="Default", uuid="GPU-1"),
        Gpu("odd, name", 1, "9.0", "570.1"),
    )
    assert parse_gpus("") == ()


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (Said(18, MISMATCH), "mismatch"),
        (Said(9, NO_DRIVER), "no driver"),
        (Said(15, LOST), "lost"),
        (Said(255, UNKNOWN), "hidden"),
        (Said(4, "NVIDIA-SMI has failed: Insufficient Permissions"), "hidden"),
        (Said(6, "No devices were found\n"), "no devices"),
        (Said(None), "silent"),
        (Said(127, "[Errno 8] Exec format error"), "failed"),
        (Said(0, ""), ""),
    ],
)
def test_an_answer_without_gpus_has_its_reason(said, trouble):
    answer = read(said)
    assert (answer.gpus, answer.trouble) == ((), trouble)
    assert "\n" not in answer.words
    assert bool(answer.words) == (trouble not in ("", "silent"))


def test_beside_a_gpu_that_is_lost_another_works():
    assert read(Said(15, LOST + H200)) == Answer(parse_gpus(H200))


def test_an_nvidia_smi_that_knows_fewer_fields_is_asked_for_those(monkeypatch):
    asked = []

    def run(command):
        asked.append(command[1])
        return Said(2, OLD) if "mig" in command[1] else Said(0, "NVIDIA L4, 23034, 8.9, 525.60.13\n")

    monkeypatch.setattr(gpus, "_run", run)
    assert gpus.ask("nvidia-smi").gpus == (Gpu("NVIDIA L4", 23_034, "8.9", "525.60.13"),)
    assert len(asked) == 2


def test_mig_instances_and_processes_are_asked_for_when_they_matter(monkeypatch):
    a100 = "NVIDIA A100, 81920, 8.0, 550.1, 81000, [N/A], {mode}, {mig}, {uuid}\n"
    answers = {
        "--query-gpu": a100.format(
            mode="Default", mig="Enabled", uuid="GPU-aaaa1111-0000-0000-0000-000000000000"
        )
        + a100.format(
            mode="Exclusive_Process", mig="Enabled", uuid="GPU-bbbb2222-0000-0000-0000-000000000000"
        ),
        "-L": LISTED,
        "--query-compute-apps": "GPU-bbbb2222-0000-0000-0000-000000000000, 4242\n",
    }
    monkeypatch.setattr(gpus, "_run", lambda command: Said(0, answers[command[1].partition("=")[0]]))
    one, other = gpus.ask("nvidia-smi").gpus
    assert (one.mig, one.taken, other.mig, other.taken) == (2, False, 0, True)
    assert with_instances([replace(one, mig=None)], LISTED)[0].mig is None
    assert [g.taken for g in with_processes([one, other], "")] == [False, False]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (None, "ab"),
        ("0", "a"),
        ("1,0", "ba"),
        ("1,7,0", "b"),
        ("", ""),
        ("-1", ""),
        ("GPU-b", "b"),
        ("MIG-1", "a"),
    ],
)
def test_what_programs_are_let_see(wanted, names):
    both = (Gpu("a", uuid="GPU-a1"), Gpu("b", uuid="GPU-b1"))
    assert "".join(gpu.name for gpu in visible(both, wanted)) == names


def test_a_gpu_on_the_bus(tmp_path):
    assert not gpus.present(tmp_path)
    for name, vendor, kind in (("0", "0x8086", "0x030000"), ("1", "0x10de", "0x0c0330")):
        folder = tmp_path / "sys/bus/pci/devices" / name
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(vendor + "\n")
        (folder / "class").write_text(kind + "\n")
    assert not gpus.present(tmp_path), "an Intel GPU, and a USB controller of NVIDIA's"
    (tmp_path / "sys/bus/pci/devices/1/class").write_text("0x030200\n")
    assert gpus.present(tmp_path)


def test_a_program_that_fails_or_hangs(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"

    def says(body):
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        return gpus.ask(str(program))

    assert says(f"echo '{MISMATCH}' >&2; exit 18").trouble == "mismatch"
    assert says(f"echo '{H200}'") == Answer(parse_gpus(H200))
    monkeypatch.setattr(gpus, "SECONDS", 0.2)
    assert says("exec sleep 60").trouble == "silent"
    program.chmod(0o644)
    assert gpus.ask(str(program)).trouble == "failed"


SEEN = (Gpu("NVIDIA GPU"),)


def asked(monkeypatch, full, answer, *, seen=SEEN, present=True, environment=None):
    monkeypatch.setattr(gpus, "ask", lambda _program: answer)
    monkeypatch.setattr(gpus, "present", lambda: present)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if environment is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", environment)
    inspect.forget()
    tools = {**full.tools, "nvidia-smi": "/usr/bin/nvidia-smi"}
    return inspect.with_gpus(replace(full, gpus=seen, tools=tools))


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            read(Said(18, MISMATCH)),
            "needs NVIDIA's driver in one version (its kernel module and its library differ, as after an update): sudo reboot",
        ),
        (read(Said(9, NO_DRIVER)), "needs NVIDIA's driver (there is a GPU, and no driver that runs)"),
        (
            read(Said(255, UNKNOWN)),
            "needs the right to use the GPU (nvidia-smi: Failed to initialize NVML: Unknown Error; a container has to be given it again)",
        ),
        (
            read(Said(6, "No devices were found")),
            "needs a GPU that this process may see (nvidia-smi finds none)",
        ),
        (read(Said(None)), "needs a driver that answers (nvidia-smi did not): sudo reboot"),
        (read(Said(3, "odd")), "needs a working NVIDIA driver (nvidia-smi: odd)"),
        (
            read(Said(15, LOST)),
            f"needs a GPU that answers (nvidia-smi: {LOST.strip()}): sudo reboot",
        ),
    ],
)
@pytest.mark.parametrize("language", ["triton", "cuda"])
def test_a_gpu_that_does_not_work_is_open_with_the_reason(
    monkeypatch, make_exercise, full, answer, line, language
):
    machine = asked(monkeypatch, full, answer)
    for level in (Level.GPU, Level.FAST):
        assert open_because(make_exercise(language, level), level, machine) == line
    assert open_because(make_exercise(language, Level.COMPILES), Level.COMPILES, machine) == ""


def test_the_tool_without_any_gpu_is_no_broken_driver(monkeypatch, make_exercise, full):
    machine = asked(monkeypatch, full, read(Said(9, NO_DRIVER)), seen=(), present=False)
    line = open_because(make_exercise("triton", Level.GPU), Level.GPU, machine)
    assert line == "needs an NVIDIA GPU with its driver (this machine has none)"
    machine = asked(monkeypatch, full, read(Said(9, NO_DRIVER)), seen=(), present=True)
    assert "no driver that runs" in open_because(make_exercise("triton", Level.GPU), Level.GPU, machine)


def test_hidden_gpus_are_not_there(monkeypatch, make_exercise, full):
    machine = asked(monkeypatch, full, Answer(parse_gpus(H200)), environment="3")
    line = open_because(make_exercise("triton", Level.GPU), Level.GPU, machine)
    assert line == "needs a GPU in CUDA_VISIBLE_DEVICES (it names none that there is)"


def changed(full, **changes):
    (gpu,) = full.gpus
    return replace(full, gpus=(replace(gpu, **changes),))


@pytest.mark.parametrize(
    ("changes", "language", "lacks"),
    [
        ({"driver": "570.86"}, "triton", ["an NVIDIA driver 580 or newer, for the CUDA 13.0 of torch (this one is 570.86)"]),
        ({"driver": "570.86"}, "cuda", ["an NVIDIA driver 580 or newer, for the CUDA 13.0 of nvcc (this one is 570.86)"]),
        ({"driver": "580.0"}, "triton", []),
        ({"capability": "7.0"}, "triton", ["a GPU of sm_75 or newer for torch (CUDA 13.0) (NVIDIA H200 is sm_70)"]),
        ({"capability": "6.1"}, "cuda", ["a GPU of sm_75 or newer for nvcc 13.0 (NVIDIA H200 is sm_61)"]),
        ({"capability": "13.0"}, "cuda", ["a newer nvcc 13.0: this one knows GPUs up to sm_121 (NVIDIA H200 is sm_130)"]),
        ({"capability": ""}, "triton", []),
    ],
)  # fmt: skip
def test_software_that_does_not_know_the_gpu(make_exercise, full, changes, language, lacks):
    machine = changed(full, **changes)
    assert [m.what for m in missing(make_exercise(language, Level.GPU), Level.GPU, machine)] == lacks


@pytest.mark.parametrize(
    ("toolkit", "capability", "driver", "known"),
    [
        ("12.6", "9.0", "550.1", True), ("12.6", "12.0", "570.1", False), ("12.8", "12.0", "525.60", True),
        ("12.4", "7.0", "525.1", True), ("12.4", "9.0", "470.1", False), ("11.8", "8.0", "450.80", True),
        ("14.2", "9.0", "700.1", True), ("", "9.0", "580.1", True),
    ],
)  # fmt: skip
def test_which_torch_runs_on_which_gpu(make_exercise, full, toolkit, capability, driver, known):
    machine = replace(changed(full, capability=capability, driver=driver), torch_cuda=toolkit)
    lacks = [m.what for m in missing(make_exercise("triton", Level.GPU), Level.GPU, machine)]
    assert (lacks in ([], ["torch built for CUDA"])) == known, lacks


def test_an_older_gpu_is_not_one_for_triton(make_exercise, full):
    machine = replace(changed(full, capability="6.1"), torch_cuda="12.6")
    lacks = [m.what for m in missing(make_exercise("triton", Level.GPU), Level.GPU, machine)]
    assert lacks == ["a GPU of sm_70 or newer for triton (NVIDIA H200 is sm_61)"]


@pytest.mark.parametrize(
    ("changes", "gpu", "fast"),
    [
        (
            {"free_mb": 900},
            "1024 MB of free GPU memory (NVIDIA H200 has 900 MB left by other processes)",
            True,
        ),
        ({"free_mb": 1024, "busy": 3}, "", False),
        ({"busy": 97, "free_mb": 143_000}, "", False),
        (
            {"busy": 97, "free_mb": 90_000},
            "",
            "a GPU that is idle, as others' work would be timed too (NVIDIA H200 is 97 % busy)",
        ),
        ({"mode": "Prohibited"}, "a GPU that may compute (NVIDIA H200 is in mode Prohibited)", True),
        (
            {"mode": "Exclusive_Process", "taken": True},
            "a GPU that is free (NVIDIA H200 is in mode Exclusive_Process, and another process has it)",
            True,
        ),
        ({"mode": "Exclusive_Process"}, "", False),
        ({"mig": 0}, "a MIG instance of NVIDIA H200 (it is in MIG mode, and has none)", True),
        ({"mig": 2, "free_mb": 10}, "", False),
    ],
)
def test_a_gpu_that_others_use(make_exercise, full, changes, gpu, fast):
    machine = changed(full, **changes)
    for language in ("triton", "cuda"):
        lacks = [m.what for m in missing(make_exercise(language, Level.GPU), Level.GPU, machine)]
        assert lacks == ([gpu] if gpu else [])
        lacks = [m.what for m in missing(make_exercise(language, Level.FAST), Level.FAST, machine)]
        assert lacks == ([gpu] if fast is True else [fast] if fast else [])


def test_a_timing_waits_for_a_run_that_has_just_ended(monkeypatch, full):
    (gpu,) = full.gpus
    answers = [
        Answer((replace(gpu, busy=busy, free_mb=free),)) for busy, free in ((60, 90_000), (0, gpu.free_mb))
    ]
    monkeypatch.setattr(gpus, "ask", lambda _program: answers.pop(0) if len(answers) > 1 else answers[0])
    monkeypatch.setattr(inspect, "_SETTLING_SECONDS", (0.0, 0.0))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    inspect.forget()
    machine = replace(full, tools={**full.tools, "nvidia-smi": "/usr/bin/nvidia-smi"})
    assert [gpu.busy for gpu in inspect.with_idle_gpus(machine).gpus] == [0]
    answers[0] = Answer((replace(gpu, busy=60),))
    inspect.forget()
    assert [gpu.busy for gpu in inspect.with_idle_gpus(machine).gpus] == [60]


def test_an_exercise_says_how_much_memory_it_wants(make_exercise, full):
    exercise = make_exercise("triton", Level.FAST, needs=Needs(gpu_memory_mb=20_000))
    line = open_because(exercise, Level.FAST, changed(full, free_mb=8000))
    assert line == "needs 20000 MB of free GPU memory (NVIDIA H200 has 8000 MB left by other processes)"


def test_another_gpu_that_is_free_is_named(make_exercise, full):
    (gpu,) = full.gpus
    machine = replace(full, gpus=(replace(gpu, busy=90, taken=True), replace(gpu, busy=0)))
    line = open_because(make_exercise("triton", Level.FAST), Level.FAST, machine)
    assert line.endswith("(NVIDIA H200 is 90 % busy): export CUDA_VISIBLE_DEVICES=1")


def test_two_gpus_must_both_be_free(make_exercise, full):
    (gpu,) = full.gpus
    exercise = make_exercise("distributed", Level.GPU, needs=Needs(gpus=2))
    both = replace(full, gpus=(gpu, gpu))
    assert missing(exercise, Level.GPU, both) == ()
    (lack,) = missing(exercise, Level.GPU, replace(both, gpus=(gpu, replace(gpu, free_mb=10))))
    assert lack.what.startswith("1024 MB of free GPU memory")
