"""How the pages' search ranks its results: the home chapter of a term comes first."""

import json
import re


def homes(glossary):
    """The home chapter of each term, which its definition in the glossary names.

    glossary: the text of the page with the glossary. Returns {term in lower case: document}; short
    forms ('short: DCT') count as terms of their own.
    """
    entries = re.search(r"```\{glossary\}\n(.*?)```", glossary, re.S).group(1)
    found = {}
    for term, definition in re.findall(r"^(\S.*)\n  (.*)$", entries, re.M):
        document = "book/" + re.search(r"\((\w+)\.ipynb\)\.\)$", definition)[1]
        found[term.lower()] = document
        for short in re.findall(r"short: ([\w-]+)", definition):
            found[short.lower()] = document
    return found


def scorer(glossary):
    """The script by which the search ranks its results: a term's home chapter comes first.

    Of pages that would share a place, chapters come first, in their order; Sphinx would sort their
    titles as words, with 10 before 3.
    """
    table = json.dumps(homes(glossary), indent=1)
    return f"""const HOMES = {table};
const SEARCHED = () => {{
  const field = [...document.querySelectorAll('input[name="q"]')].find((input) => input.value);
  const query = (field ? field.value : "").toLowerCase().trim();
  if (query in HOMES || query.length < 4) return query;
  return Object.keys(HOMES).find((term) => term.startsWith(query)) || query;
}};
const PLACE = (document) => {{
  const chapter = document.match(/^book\\/(\\d\\d)_/);
  return chapter ? Number(chapter[1]) / 100 : 0.99;
}};
var Scorer = {{
  score: ([document, , anchor, , score]) =>
    (HOMES[SEARCHED()] === document ? score + 1000 : score) - PLACE(document),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {{ 0: 15, 1: 5, 2: -5 }},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
}};
"""
