"""Tests of the checks themselves: each must complain about the fault it is there for, and only then."""

import tempfile
import unittest
from pathlib import Path

import check_arrows
import check_links

CMAKE = """
signfold_folder(base PUBLIC fmt::fmt)
signfold_folder(prior PUBLIC signfold_base)
signfold_folder(theory PUBLIC signfold_prior)
signfold_folder(encoder PRIVATE signfold_base)
signfold_folder(decoder PUBLIC signfold_encoder signfold_theory)
"""


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


class Arrows(Tree):
    def setUp(self):
        super().setUp()
        self.write("CMakeLists.txt", CMAKE)
        for folder in ("base", "prior", "theory", "encoder", "decoder"):
            self.write(f"src/signfold/{folder}/{folder}.h", "#pragma once\n")

    def problems(self, folder, include):
        self.write(f"src/signfold/{folder}/x.cc", f'#include "{include}"\n')
        return check_arrows.check(self.root)

    def test_allowed(self):
        self.assertEqual(self.problems("theory", "signfold/prior/prior.h"), [])
        self.assertEqual(self.problems("theory", "signfold/base/base.h"), [])  # through prior, PUBLIC
        self.assertEqual(self.problems("decoder", "signfold/decoder/decoder.h"), [])

    def test_against_the_arrows(self):
        self.assertIn("may not include", self.problems("prior", "signfold/theory/theory.h")[0])
        # base is PRIVATE to encoder, so decoder gets it through theory only; theory gets no encoder at all.
        self.assertIn("may not include", self.problems("theory", "signfold/encoder/encoder.h")[0])

    def test_private_is_not_handed_on(self):
        self.write("CMakeLists.txt", CMAKE.replace("decoder PUBLIC signfold_encoder signfold_theory",
                                                   "decoder PUBLIC signfold_encoder"))
        self.assertIn("may not include", self.problems("decoder", "signfold/base/base.h")[0])

    def test_python_does_without_the_command_line(self):
        self.write("CMakeLists.txt", CMAKE + "signfold_folder(cli PUBLIC signfold_decoder)\n")
        self.write("src/signfold/cli/cli.h", "#pragma once\n")
        self.write("python/bindings/x.cc", '#include "x.h"\n#include "signfold/decoder/decoder.h"\n')
        self.assertEqual(check_arrows.check(self.root), [])
        self.write("python/bindings/x.cc", '#include "signfold/cli/cli.h"\n')
        self.assertIn("may not include", check_arrows.check(self.root)[0])

    def test_missing_header_and_bare_name(self):
        self.assertIn("does not exist", self.problems("prior", "signfold/base/nothing.h")[0])
        self.assertIn("write it as", self.problems("prior", "prior.h")[0])

    def test_unlisted_folder(self):
        self.assertIn("no signfold_folder line", self.problems("extra", "signfold/base/base.h")[0])

    def test_cycle(self):
        self.write("CMakeLists.txt", CMAKE.replace("base PUBLIC fmt::fmt", "base PUBLIC signfold_prior"))
        self.assertTrue(any("depends on itself" in problem for problem in check_arrows.check(self.root)))

    def test_theory_stays_away_from_measurement(self):
        self.write("CMakeLists.txt", CMAKE.replace("prior PUBLIC signfold_base", "prior PRIVATE signfold_encoder"))
        self.assertIn("CMakeLists.txt: theory must never depend on encoder", check_arrows.check(self.root))


class Links(Tree):
    def problems(self, text):
        return list(check_links.check(self.write("a.md", text)))

    def test_good(self):
        self.write("docs/b.md", "# One thing: here\n")
        self.assertEqual(self.problems("[b](docs/b.md) [h](docs/b.md#one-thing-here) [w](https://example.org/x)"), [])
        self.assertEqual(self.problems("`f[i](j)`\n```\n[no](where)\n```\n"), [])

    def test_bad(self):
        self.write("docs/b.md", "# One\n")
        self.assertEqual(len(self.problems("[b](docs/c.md)")), 1)
        self.assertEqual(len(self.problems("[b](docs/b.md#two)")), 1)
        self.assertEqual(len(self.problems("[b][1]\n\n[1]: docs/c.md\n")), 1)


if __name__ == "__main__":
    unittest.main()
