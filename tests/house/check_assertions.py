"""tests/house/check_assertions.py ROOT - every cmocka test asserts something.

A test asserts when its body, or a helper of the same file that it calls, contains assert_,
fail, or a helper of another file whose name says that it checks: assert_, expect_, check_ or
_assert at its end.
"""

import re
import sys

import tree

REGISTERED = re.compile(r"\bcmocka_unit_test\w*\(\s*(\w+)")
MACRO = re.compile(r"#define (\w+)\((\w+)[^)]*\)(?:[^\n]*\\\n)*[^\n]*")
FUNCTION = re.compile(r"^[A-Za-z][^;{}#]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
ASSERTING = re.compile(r"^(_?assert_|expect_|check_|fail$|fail_msg$|\w+_assert$)")
CALL = re.compile(r"\b(\w+)\s*\(")
NOISE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|//[^\n]*', re.DOTALL)


def registered(text):
    """Return the tests that text registers, itself or through a macro of its own."""
    tests = REGISTERED.findall(text)
    for macro in MACRO.finditer(text):
        name, parameter = macro.groups()
        if parameter in REGISTERED.findall(macro.group(0)):
            rest = text[: macro.start()] + text[macro.end() :]
            tests += re.findall(rf"^(?!#).*\b{name}\(\s*(\w+)", rest, re.MULTILINE)
            tests = [test for test in tests if test != parameter]
    return tests


def asserting(bodies):
    """Return the functions of one file that assert, by themselves or through each other."""
    calls = {name: set(CALL.findall(body)) for name, body in bodies.items()}
    known = set()
    grown = True
    while grown:
        grown = False
        for name, called in calls.items():
            foreign = any(ASSERTING.match(other) and other not in calls for other in called)
            if name not in known and (foreign or called & known):
                known.add(name)
                grown = True
    return known


def findings(root):
    found = []
    for name in tree.files(root, ".c"):
        text = NOISE.sub("", tree.read(root, name)) if name.startswith("tests/") else ""
        tests = registered(text)
        bodies = dict(FUNCTION.findall(text)) if tests else {}
        good = asserting(bodies)
        for test in tests:
            if test not in bodies:
                found.append(f"{name}: {test}: registered, but no such function was found")
            elif test not in good:
                found.append(f"{name}: {test}: asserts nothing")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
