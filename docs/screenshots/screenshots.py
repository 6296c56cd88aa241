"""Runs the program in a pseudo-terminal, and draws the terminal's screen as SVG. See `run`."""

import fcntl
import html
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import tempfile
import termios
import time

import pyte

PROGRAM = os.environ["PROGRAM"]
COLUMNS, LINES = 100, 40
WIDTH, HEIGHT, MARGIN = 8.4, 18, 14
COLORS = {
    "default": "#d8dee9", "black": "#4c566a", "red": "#f07178", "green": "#a3be8c", "brown": "#ebcb8b",
    "blue": "#81a1c1", "magenta": "#b48ead", "cyan": "#88c0d0", "white": "#e5e9f0",
}
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}

# Name, commands, and after how many seconds the picture is taken (None: at the end).
SHOTS = [
    ("verbose", ["lambda-invoke invoke echo -v -p '{\"name\":\"Ada\"}'"], None),
    ("progress", ["lambda-invoke bench slow -n 400 -c 4"], 4),
    ("map", ["seq 2000 | lambda-invoke map slow -c 8 -o results.jsonl"], 4),
    ("bench", ["lambda-invoke bench echo -n 2000 -c 4"], None),
]


def environment(url, folder):
    os.symlink(PROGRAM, os.path.join(folder, "lambda-invoke"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "NO_COLOR"}
    path = folder + os.pathsep + os.environ["PATH"]
    return kept | KEYS | {"PATH": path, "TERM": "xterm-256color", "AWS_ENDPOINT_URL_LAMBDA": url}


def screen_of(commands, after, env, folder):
    """Runs the commands, and returns the screen after this time or at the end."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    for command in commands:
        stream.feed(b"$ " + command.encode() + b"\r\n")
        child, terminal = pty.fork()
        if child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            os.chdir(folder)
            os.execvpe("bash", ["bash", "-c", command], env)
        deadline = time.monotonic() + (after or 120)
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # The end of the terminal, on Linux.
                break
            if not data:
                break
            stream.feed(data)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    return screen


def svg(screen):
    """Draws the screen, with one text element per run of characters of the same color and weight."""
    used = max(number for number, line in enumerate(screen.display) if line.strip()) + 1
    width, height = COLUMNS * WIDTH + 2 * MARGIN, used * HEIGHT + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">',
        f'<rect width="100%" height="100%" rx="8" fill="#2e3440"/>',
    ]
    for row in range(used):
        start = 0
        while start < COLUMNS:
            style = look(screen.buffer[row][start])
            end = start
            while end < COLUMNS and look(screen.buffer[row][end]) == style:
                end += 1
            text = "".join(screen.buffer[row][column].data for column in range(start, end))
            if text.strip():
                text = text.rstrip()
                color, bold = style
                x, y = MARGIN + start * WIDTH, MARGIN + (row + 0.75) * HEIGHT
                weight = ' font-weight="bold"' if bold else ""
                out.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" textLength="{len(text) * WIDTH:.1f}" fill="{color}"{weight}>'
                    f"{html.escape(text, quote=False)}</text>"
                )
            start = end
    return "\n".join(out) + "\n</svg>\n"


def look(char):
    color = char.fg.removeprefix("bright")
    return COLORS.get(color, "#" + color if len(color) == 6 else COLORS["default"]), char.bold


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder:
        for name, delay in [("echo", 0), ("slow", 0.05)]:
            with open(os.path.join(folder, name + ".py"), "w") as file:
                file.write(f"import time\n\ndef handler(event, context):\n    time.sleep({delay})\n    return event\n")
        serve = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0", "echo.py", "slow.py"],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        try:
            url = serve.stdout.readline().strip()
            env = environment(url, folder)
            for name, commands, after in SHOTS:
                with open(os.path.join(here, name + ".svg"), "w") as file:
                    file.write(svg(screen_of(commands, after, env, folder)))
        finally:
            serve.send_signal(signal.SIGTERM)
            serve.wait()


main()
