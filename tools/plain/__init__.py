"""The chapters as notebooks that every reader of notebooks shows: Colab, Kaggle, VS Code, Jupyter.

A chapter is written in MyST, of which these programs know only CommonMark and `$` mathematics.
`labels` numbers what can be referred to, `works` formats citations, `inline` and `blocks` rewrite
the text of one cell, and `notebook` a chapter. What none of them knows is an error, so that nothing
reaches a reader raw.
"""
