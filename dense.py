import ast,sys
from pathlib import Path
for f in sys.argv[1:]:
    s=Path(f).read_text(); t=ast.parse(s); L=s.splitlines()
    c={}
    for n in ast.walk(t):
        if isinstance(n,ast.stmt) and not isinstance(n,(ast.ClassDef,)):
            body=set()
            cnt=0
            def walk(x):
                global cnt
                for ch in ast.iter_child_nodes(x):
                    if isinstance(ch,ast.stmt): continue
                    cnt+=1; walk(ch)
            cnt=1; walk(n)
            end=n.body[0].lineno-1 if hasattr(n,'body') else n.end_lineno
            k=max(1,end-n.lineno+1)
            if cnt/k>13 : print(f"{f.split('/')[-1]}:{n.lineno} {cnt}/{k}: {L[n.lineno-1].strip()}")
