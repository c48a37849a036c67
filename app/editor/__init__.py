"""The scripts of the browser: sources, locked packages and their bundling.

``python -m app.editor`` installs the packages and writes ``app/static/build/``.
"""
