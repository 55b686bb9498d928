#!/usr/bin/env python3
"""Runs the cases with each client, and prints what held as a table.

WEIR names the program. A suite is the SDK's own tests. The cases of the gateway are run where there
is one, that is, as a command of integrations/nginx/demo.
"""

import argparse
import shlex
import sys
import unittest

from cases import cases_of
from gateway import gateway_cases_of

OK, FAILED, NONE = "ok", "FAILED", "-"


def arguments():
    parser = argparse.ArgumentParser(description="Runs the cases with each client.")
    parser.add_argument("--only", default="", help="only cases whose names have this text")
    for flag, required in ("--client", True), ("--suite", False):
        parser.add_argument(flag, nargs=2, action="append", default=[], required=required,
                            metavar=("NAME", "COMMAND"))
    parser.add_argument("--front", action="append", default=[], metavar="NAME",
                        help="a client that takes HTTP/2, so HAProxy stands before the server")
    parser.add_argument("--gateway-suite", nargs=2, action="append", default=[],
                        metavar=("NAME", "COMMAND"), help="the SDK's own tests for the gateway")
    parser.add_argument("--kind", nargs=2, action="append", default=[],
                        metavar=("NAME", "http1|http2|tls"),
                        help="how a client speaks to the gateway; http1 unless given")
    return parser.parse_args()


class Outcomes(unittest.TextTestResult):
    """Tells of each test what came of it."""

    def word(self, test):
        if any(getattr(failed, "test_case", failed) is test
               for failed, _ in self.failures + self.errors):
            return FAILED
        return NONE if any(skipped is test for skipped, _ in self.skipped) else OK


def run(name, command, given):
    """A dictionary from each case to what came of it."""
    command = shlex.split(command)
    suite = dict(given.suite).get(name, "")
    kind = dict(given.kind).get(name, "http1")
    suites = [shlex.split(suite) for owner, suite in given.gateway_suite if owner == name]
    classes = (cases_of(name, command, shlex.split(suite), name in given.front),
               gateway_cases_of(name, command, kind, suites))
    tests = [test for cases in classes
             for test in unittest.TestLoader().loadTestsFromTestCase(cases)
             if given.only in test.id()]
    print(f"clients: {name}, {len(tests)} cases", flush=True)
    runner = unittest.TextTestRunner(resultclass=Outcomes, verbosity=0, stream=sys.stderr)
    outcomes = runner.run(unittest.TestSuite(tests))
    return {case_of(test): outcomes.word(test) for test in tests}


def case_of(test):
    return test.id().rsplit(".", 1)[-1].removeprefix("test_").replace("_", " ")


def print_table(results):
    cases = list(next(iter(results.values())))
    width = max(map(len, cases))
    print("\n" + " " * width, *(f"{name:>10}" for name in results))
    for case in cases:
        print(f"{case:{width}}", *(f"{words[case]:>10}" for words in results.values()))


def main():
    given = arguments()
    results = {name: run(name, command, given) for name, command in given.client}
    words = [word for result in results.values() for word in result.values()]
    if not words:
        sys.exit("clients: there are no such cases")
    print_table(results)
    print(f"\n{words.count(OK)} passed, {words.count(FAILED)} failed")
    sys.exit(1 if FAILED in words else 0)


if __name__ == "__main__":
    main()
