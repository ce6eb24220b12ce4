"""re-wrap docstring paragraphs and comment blocks with lines over 100."""
import sys, textwrap, ast, re
from pathlib import Path
for f in sys.argv[1:]:
    p=Path(f); lines=p.read_text().split("\n"); tree=ast.parse("\n".join(lines))
    doc=set(); first=set()
    for n in ast.walk(tree):
        if isinstance(n,(ast.Module,ast.ClassDef,ast.FunctionDef)) and n.body and isinstance(n.body[0],ast.Expr) and isinstance(n.body[0].value,ast.Constant) and isinstance(n.body[0].value.value,str):
            d=n.body[0]; doc|=set(range(d.lineno-1,d.end_lineno)); first.add(d.lineno-1)
    out=[]; i=0
    def kind(k):
        l=lines[k]
        if k in doc: return "d" if l.strip() and l.strip()!='"""' else None
        if l.strip().startswith("# "): return "c"
        return None
    while i<len(lines):
        k=kind(i)
        if not k or i in first: 
            if i in first and len(lines[i])>100: print("FIRST",f,i+1,len(lines[i]),lines[i])
            out.append(lines[i]); i+=1; continue
        ind=len(lines[i])-len(lines[i].lstrip())
        j=i
        while j<len(lines) and kind(j)==k and j not in first and len(lines[j])-len(lines[j].lstrip())==ind: j+=1
        block=lines[i:j]
        if any(len(l)>100 for l in block):
            pre=" "*ind+("# " if k=="c" else "")
            text=" ".join(l.strip().removeprefix("# ") if k=="c" else l.strip() for l in block)
            out+=textwrap.wrap(text,100,initial_indent=pre,subsequent_indent=pre,break_long_words=False,break_on_hyphens=False)
        else: out+=block
        i=j
    p.write_text("\n".join(out))
