"""`python -m evals fit`: fits the evaluation's trained verifier anew."""

import argparse
from pathlib import Path

from evals.fit_support import MADE, LabelledSet, fit_support
from evals.folds import FOLDS
from evals.formats import FileInvalid, read_rows
from evals.made_pairs import make_pairs
from evals.pairs import PairRow
from evals.verifier import WEIGHTS
from knowledge.read import read_documents

SUMMARY = "fit the trained verifier to labelled pairs"
DESCRIPTION = """\
  fit support    fit evals/baselines/support.json to labelled pairs (--data, one file a set: id, source, response, label) and
                 to pairs made from help articles (--articles), and evals/baselines/support_folds.json, the weights
                 without each set in turn. A set's name is its file's; sets whose names are alike up to the first `-` share
                 the weight of one.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=("support",))
    parser.add_argument("--data", type=Path, required=True, nargs="+", help="labelled pairs: .jsonl or .jsonl.gz")
    parser.add_argument("--articles", type=Path, help="help articles to make pairs from")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where to write the weights instead")
    parser.add_argument("--folds", type=Path, default=FOLDS, help="where to write those without each set instead")


def run(arguments: argparse.Namespace) -> str:
    """Fit and say what was fitted. Raises FileInvalid or KnowledgeError."""
    sets = [LabelledSet(name=path.name.partition(".")[0], rows=read_rows(path, PairRow)) for path in arguments.data]
    if len({one.name for one in sets}) < len(sets):
        raise FileInvalid("fit support: two files of --data have the same name; a set is named by its file")
    if arguments.articles:
        made = make_pairs([one for one in read_documents(arguments.articles).documents if not one.internal])
        sets.append(LabelledSet(name=MADE, rows=made))
    return fit_support(sets, arguments.out, arguments.folds)
