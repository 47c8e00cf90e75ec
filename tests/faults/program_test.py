"""What happens around a training run: a full disk, another process, signals, damaged files. program_test.py [--build DIR]"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from results import Results  # noqa: E402
from tiny_run import STEPS, check_committed, check_outcome, checkpoints, outcome, read, write_recipes  # noqa: E402

SECONDS = 120
EXIT_CONFIG, EXIT_RESOURCE, EXIT_INTERRUPTED = 2, 4, 130
DISK_BYTES = 4 << 20

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
program = options.parse_args().build.resolve() / "cupel"


class Disk:
    """A small disk of its own, mounted; skips the test where that is not allowed."""

    def __init__(self, test, path):
        self.path = path
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", path], capture_output=True, text=True)
        if done.returncode:
            test.skipTest(f"no small disk here: {done.stderr.strip()}")
        test.addCleanup(subprocess.run, ["umount", "-l", path], check=True)

    def fill(self):
        with open(self.path / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        (self.path / "ballast").unlink()

    def make_read_only(self):
        subprocess.run(["mount", "-o", "remount,ro", self.path], check=True)


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recipes = tempfile.TemporaryDirectory(prefix="faults-")
        cls.place = pathlib.Path(cls.recipes.name)
        write_recipes(cls.place, program)
        code, text = cls.finish(cls.start(cls.place / "undisturbed"))
        if code:
            raise AssertionError(text)
        cls.expected = outcome(cls.place / "undisturbed")

    @classmethod
    def tearDownClass(cls):
        cls.recipes.cleanup()

    def setUp(self):
        self.own = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="fault-", dir=self.place)))
        self.folder = self.own / "run"

    @classmethod
    def start(cls, folder, *words):
        return subprocess.Popen([program, "run", cls.place / "fp16.yaml", "--out", folder, "--threads", "1", "--resume", *words],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")

    @staticmethod
    def finish(process):
        """(exit code, standard error) of the run at its end."""
        try:
            text = process.communicate(timeout=SECONDS)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return process.returncode, text

    def wait_for_checkpoint(self, process, step):
        while max(checkpoints(self.folder), default=0) < step:
            if process.poll() is not None:
                self.fail(f"ended before step {step}: {process.communicate()[1]}")
            time.sleep(0.001)

    def stopped_run(self, after=12):
        """A folder whose run was stopped behind `after` steps, with two checkpoints."""
        process = self.start(self.folder)
        self.wait_for_checkpoint(process, after)
        process.send_signal(signal.SIGTERM)
        code, text = self.finish(process)
        self.assertEqual(code, EXIT_INTERRUPTED, text)

    def assert_resumes(self):
        """The run goes on to the undisturbed bits; what it said."""
        code, text = self.finish(self.start(self.folder))
        self.assertEqual(code, 0, text)
        check_outcome(self.folder, self.expected)
        return text

    def test_a_full_disk_ends_the_run_and_a_resume_ends_in_the_same_bits(self):
        disk = Disk(self, self.own / "disk")
        self.folder = disk.path / "run"
        process = self.start(self.folder)
        self.wait_for_checkpoint(process, 9)
        disk.fill()
        code, text = self.finish(process)
        self.assertEqual(code, EXIT_RESOURCE, text)
        self.assertIn("No space left on device; free some space there, then continue with --resume", text)
        self.assertIn("go on with:\n  cupel run ", text)
        check_committed(self.folder)
        disk.free()
        self.assert_resumes()
        self.assertGreaterEqual(read(self.folder / "report.json")["train"]["resumed_from"], 6)

    def test_a_read_only_place_is_refused(self):
        disk = Disk(self, self.own / "disk")
        disk.make_read_only()
        code, text = self.finish(self.start(disk.path / "run"))
        self.assertEqual(code, EXIT_RESOURCE, text)
        self.assertIn(f"{disk.path / 'run'}: cannot make the folder: Read-only file system; choose a writable place with --out", text)

    def test_a_folder_without_write_permission_is_refused(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        self.folder.mkdir(mode=0o555)
        code, text = self.finish(self.start(self.folder))
        self.assertEqual(code, EXIT_CONFIG, text)
        self.assertIn("Permission denied", text)

    def test_a_second_process_is_told_who_holds_the_folder(self):
        first = self.start(self.folder)
        self.wait_for_checkpoint(first, 3)
        first.send_signal(signal.SIGSTOP)
        try:
            code, text = self.finish(self.start(self.folder))
        finally:
            first.send_signal(signal.SIGCONT)
        self.assertEqual(code, EXIT_CONFIG, text)
        self.assertIn(f"in use by process {first.pid}; wait for it to end, or choose another folder with --out", text)
        code, text = self.finish(first)
        self.assertEqual(code, 0, text)
        check_outcome(self.folder, self.expected)

    def test_a_lock_of_a_killed_process_is_taken_over(self):
        process = self.start(self.folder)
        self.wait_for_checkpoint(process, 3)
        process.kill()
        self.finish(process)
        self.assertTrue((self.folder / ".lock").exists())
        self.assert_resumes()

    def test_sigterm_in_the_middle_of_a_step_ends_the_step_and_saves(self):
        words = ("--train.gradient_accumulation_steps=100", "--train.save_steps=1", "--train.max_steps=6")
        process = self.start(self.folder, *words)
        self.wait_for_checkpoint(process, 1)
        process.send_signal(signal.SIGTERM)
        code, text = self.finish(process)
        self.assertEqual(code, EXIT_INTERRUPTED, text)
        self.assertIn("stopping after a save", text)
        self.assertIn("go on with:\n  cupel run ", text)
        check_committed(self.folder)
        saved = checkpoints(self.folder)[-1]
        code, text = self.finish(self.start(self.folder, *words))
        self.assertEqual(code, 0, text)
        self.assertEqual(read(self.folder / "report.json")["train"]["resumed_from"], saved)

    def test_a_second_signal_ends_it_at_once_and_loses_only_the_step(self):
        process = self.start(self.folder)
        self.wait_for_checkpoint(process, 9)
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.001)
        self.assertEqual(self.finish(process)[0], EXIT_INTERRUPTED)
        check_committed(self.folder)
        self.assert_resumes()

    def test_a_folder_removed_meanwhile_ends_the_run_and_is_not_made_again(self):
        process = self.start(self.folder)
        self.wait_for_checkpoint(process, 6)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        shutil.rmtree(self.folder)
        process.send_signal(signal.SIGCONT)
        code, text = self.finish(process)
        self.assertEqual(code, EXIT_RESOURCE, text)
        self.assertIn(f"{self.folder}: was removed while the run wrote to it", text)
        self.assertFalse(self.folder.exists())

    def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(self):
        def flip(path):
            data = bytearray((path / "model.safetensors").read_bytes())
            data[-100] ^= 1
            (path / "model.safetensors").write_bytes(data)

        damages = {
            "model.safetensors does not match its hash": flip,
            "optimizer.safetensors does not match its hash": lambda path: os.truncate(path / "optimizer.safetensors", 1000),
            "manifest.json is missing": lambda path: (path / "manifest.json").unlink(),
            "manifest.json:1:": lambda path: (path / "manifest.json").write_text("{"),
            "state.json is missing": lambda path: (path / "state.json").unlink(),
        }
        self.stopped_run()
        stopped, (before, last) = self.folder, checkpoints(self.folder)[-2:]
        for number, (text, damage) in enumerate(damages.items()):
            with self.subTest(text):
                self.folder = self.own / str(number)
                shutil.copytree(stopped, self.folder)
                damage(self.folder / f"checkpoint-{last}")
                said = self.assert_resumes()
                self.assertIn(f"checkpoint-{last} is damaged and passed over: ", said)
                self.assertIn(text, said)
                self.assertEqual(read(self.folder / "report.json")["train"]["resumed_from"], before)

    def test_without_any_whole_checkpoint_the_run_begins_again(self):
        self.stopped_run()
        for step in checkpoints(self.folder):
            (self.folder / f"checkpoint-{step}/manifest.json").unlink()
        self.assert_resumes()
        self.assertIsNone(read(self.folder / "report.json")["train"]["resumed_from"])

    def test_half_lines_at_the_end_of_the_logs_are_cut_off(self):
        self.stopped_run()
        for name, half in (("metrics.jsonl", '{"step": 12, "na'), ("log.jsonl", '{"time": 1'), ("events.out.tfevents.cupel", "\x13half")):
            with open(self.folder / name, "a", encoding="utf-8") as log:
                log.write(half)
        self.assert_resumes()
        for line in (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
            self.assertTrue(line.startswith("{") and line.endswith("}"), line)

    def test_metrics_logged_after_the_checkpoint_are_cut_off(self):
        self.stopped_run()
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as log:
            log.write('{"step": 99, "name": "loss", "value": 1, "time": 1}\n')
        self.assert_resumes()

    def test_a_changed_recipe_is_named_and_refused(self):
        self.stopped_run()
        code, text = self.finish(self.start(self.folder, "--train.dropout=0.2"))
        self.assertEqual(code, EXIT_CONFIG, text)
        self.assertIn('was "  dropout: 0.1" and is now "  dropout: 0.2"; resume with the same settings', text)
        self.assert_resumes()

    def test_a_finished_run_whose_model_was_damaged_is_made_again(self):
        shutil.copytree(self.place / "undisturbed", self.folder)
        os.truncate(self.folder / "model/model.safetensors", 1000)
        self.assert_resumes()
        self.assertEqual(read(self.folder / "report.json")["train"]["resumed_from"], STEPS)


class Counted(unittest.TextTestResult):
    """Hands each outcome to Results."""

    results = Results("faults")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.results.add("passed", test.id())

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.results.add("skipped", test.id(), reason)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.results.add("failed", test.id(), str(error[1]))

    def addError(self, test, error):
        super().addError(test, error)
        self.results.add("failed", test.id(), str(error[1]))

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.results.add("failed", subtest.id(), str(error[1]))


unittest.TextTestRunner(resultclass=Counted).run(unittest.defaultTestLoader.loadTestsFromTestCase(Training))
Counted.results.finish()
