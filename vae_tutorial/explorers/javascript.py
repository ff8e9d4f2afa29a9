"""Joins an explorer's ES modules into the one text that anywidget ships, and its style sheet with the palette."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "js"
DATA = Path(__file__).parent.parent

IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+\.js)";$')
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.M)
EXPORTED = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.M)


def join_modules(entry: str, folder: Path = FOLDER) -> str:
    """A module with every module it imports placed before it, each once, as one ES module.

    Imports are single lines, `import { a, b } from "./module.js";`; exports stand before a declaration
    (`export function …`). Only the entry keeps its `export default`.

    Args:
        entry: file name of the module to start from.
        folder: where all modules are.

    Raises:
        ValueError: any other form of import, a name that a module does not export, a circle of imports, or a name
            declared in two modules (joined, they share one scope); module and line are named.
        FileNotFoundError: a module that does not exist.
    """
    texts: dict[str, str] = {}
    _visit(entry, folder, texts, [])
    owners: dict[str, str] = {}
    for name, text in texts.items():
        for declared in DECLARED.findall(text):
            if owners.setdefault(declared, name) != name:
                raise ValueError(f"{name}: {declared!r} is already declared in {owners[declared]}; rename one of them")
    return "\n".join(f"// {name}\n{text.strip()}\n" for name, text in texts.items())


def _visit(name: str, folder: Path, texts: dict[str, str], path: list[str]) -> None:
    """Add a module to `texts` after those it imports; `path` leads from the entry to it."""
    if name in path:
        raise ValueError("circle of imports: " + " → ".join([*path, name]))
    if name in texts:
        return
    if not (folder / name).is_file():
        raise FileNotFoundError(f"{path[-1] if path else 'entry'}: there is no module {name} in {folder.name}/")
    lines = []
    for number, line in enumerate((folder / name).read_text("utf-8").splitlines(), 1):
        if line.startswith(("import ", "import{", "import(")) or re.match(r"export .* from ", line):
            match = IMPORT.match(line)
            if not match:
                raise ValueError(f'{name}:{number}: write imports as one line, import {{ a, b }} from "./module.js";')
            _visit(match[2], folder, texts, [*path, name])
            known = EXPORTED.findall((folder / match[2]).read_text("utf-8"))
            missing = [wanted for wanted in match[1].replace(" ", "").split(",") if wanted not in known]
            if missing:
                raise ValueError(f"{name}:{number}: {match[2]} does not export {', '.join(missing)}")
        elif path and line.startswith("export default"):
            raise ValueError(f"{name}:{number}: only the entry module has a default export")
        else:
            lines.append(line if line.startswith("export default") else line.removeprefix("export "))
    texts[name] = "\n".join(lines)


def style_sheet() -> str:
    """The explorers' CSS: palette and class colours as variables, light and dark, then `js/explorer.css`."""
    palette = json.loads((DATA / "palette.json").read_text("utf-8"))
    classes = json.loads((DATA / "class_colours.json").read_text("utf-8"))
    blocks = []
    for theme, selector in (("light", ".vae-explorer"), ("dark", '.vae-explorer[data-vae-theme="dark"]')):
        colours = {name: entry[theme] for name, entry in palette.items()}
        colours |= {f"class-{label}": colour for label, colour in enumerate(classes[theme])}
        blocks.append(f"{selector} {{ {' '.join(f'--vae-{name}: {colour};' for name, colour in colours.items())} }}")
    return "\n".join([*blocks, (FOLDER / "explorer.css").read_text("utf-8")])
