"""tests/house/test_packages.py ROOT - tools/packages.sh with stand-ins for what it calls."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(sys.argv.pop(1), "tools", "packages.sh")
REAL = ["sh", "cat", "env", "grep"]


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = os.path.join(folder.name, "bin")
        self.calls = os.path.join(folder.name, "calls")
        os.mkdir(self.bin)
        for name in REAL:
            os.symlink(shutil.which(name), os.path.join(self.bin, name))

    def stand_in(self, name, body):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def machine(self, absent=(), user=0, sudo=False, apt="exit 0"):
        """A Debian machine on which everything is installed but the packages in absent."""
        pattern = "|".join(absent) or "-"
        known = f'case $package in {pattern}) ;; *) echo "$package installed" ;; esac'
        self.stand_in("dpkg-query", f'shift 3\nfor package in "$@"; do {known}; done\n')
        self.stand_in("id", f"echo {user}")
        self.stand_in("apt-get", f'echo "apt-get $DEBIAN_FRONTEND $*" >>{self.calls}\n{apt}')
        if sudo:
            self.stand_in("sudo", f'echo sudo >>{self.calls}\nexec "$@"')

    def run_script(self, *groups):
        done = subprocess.run([SCRIPT, *groups], env={"PATH": self.bin}, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        called = []
        if os.path.exists(self.calls):
            with open(self.calls, encoding="utf-8") as file:
                called = file.read().splitlines()
        return done, called

    def test_nothing_missing_calls_nothing_and_says_nothing(self):
        self.machine(user=1000)
        done, called = self.run_script("build", "test", "lint", "fuzz")
        self.assertEqual((done.returncode, done.stdout, done.stderr, called), (0, "", "", []))

    def test_only_what_is_missing_is_installed(self):
        self.machine(absent=["liblmdb-dev", "gettext"])
        done, called = self.run_script("build")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(called[0], "apt-get noninteractive update -qq")
        self.assertIn("--no-install-recommends", called[1])
        self.assertTrue(called[1].endswith(" gettext liblmdb-dev"), called[1])
        self.assertEqual(done.stdout, "")

    def test_groups_that_were_not_asked_for_are_left_alone(self):
        self.machine(absent=["clang-tidy", "clang"])
        done, called = self.run_script("build", "test")
        self.assertEqual((done.returncode, called), (0, []))

    def test_without_root_it_goes_through_sudo(self):
        self.machine(absent=["gcc"], user=1000, sudo=True)
        done, called = self.run_script("build")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(called[0::2], ["sudo", "sudo"])

    def test_without_root_and_sudo_the_packages_are_named(self):
        self.machine(absent=["gcc", "libzmq3-dev"], user=1000)
        done, called = self.run_script("build")
        self.assertEqual((done.returncode, called), (1, []))
        self.assertIn("apt-get install --no-install-recommends gcc libzmq3-dev\n", done.stderr)

    def test_a_failing_apt_get_names_the_packages(self):
        self.machine(absent=["gcc"], apt="exit 100")
        done, called = self.run_script("build")
        self.assertEqual((done.returncode, len(called)), (1, 1))
        self.assertIn("apt-get install --no-install-recommends gcc\n", done.stderr)

    def test_off_debian_all_packages_are_named(self):
        done, _ = self.run_script("lint")
        self.assertEqual(done.returncode, 1)
        self.assertIn(" clang-format clang-tidy\n", done.stderr)

    def test_an_unknown_group_is_wrong_use(self):
        self.machine(absent=["gcc"])
        for groups in [["biuld"], ["build", "fun"], []]:
            with self.subTest(groups=groups):
                done, called = self.run_script(*groups)
                self.assertEqual((done.returncode, called), (2, []))


if __name__ == "__main__":
    unittest.main()
