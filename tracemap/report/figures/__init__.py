"""Figures as plain plotly dictionaries: data in, ``{"data": [...], "layout": {...}}`` out.

Plain dictionaries are made faster than graph objects, carry no random ids, and are checked against
plotly's own schema in the tests. Colours are names of the stylesheet (see `blocks.FigureBlock`);
every name out of the traces goes through `style.text`, because plotly reads labels as HTML.
"""

from __future__ import annotations
