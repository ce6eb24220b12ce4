import sys
from pathlib import Path
def sub(f, *pairs):
    p=Path(f); s=p.read_text()
    for a,b in pairs:
        assert s.count(a)==1,(f,s.count(a),a)
        s=s.replace(a,b)
    p.write_text(s)
