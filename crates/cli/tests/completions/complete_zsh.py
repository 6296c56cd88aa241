"""Prints what zsh offers for the end of a command line, one word per line.

zsh completes only in its line editor, so it runs in a pseudo-terminal here. Its offers are taken from
`compadd`, the one builtin through which every completion function adds its matches.
"""

import os
import pty
import select
import sys
import time

SETUP = r"""
PS1='' PS2='' RPS1='' PROMPT_EOL_MARK=''
autoload -U compinit; compinit -u -D
source <(lambda-invoke completions zsh)
compadd() {
    local -a found
    builtin compadd -O found "$@"
    print -rl -- $found >>$OFFERED
    builtin compadd "$@"
}
zstyle ':completion:*' list-prompt ''
bindkey '^I' complete-word
finished() { zle complete-word; print -r -- END >>$OFFERED }
zle -N finished
bindkey '^X' finished
print READY >$OFFERED
"""


def wait_for(path, word, terminal):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # The echo must be read from the terminal, or zsh blocks when the buffer is full.
        while select.select([terminal], [], [], 0.02)[0]:
            os.read(terminal, 65536)
        if os.path.exists(path):
            lines = open(path, encoding="utf-8").read().splitlines()
            if word in lines:
                return lines
    sys.exit(f"zsh gave no {word}")


def main():
    offered = os.path.join(os.environ["HOME"], "offered")
    setup = os.path.join(os.environ["HOME"], "setup.zsh")
    if os.path.exists(offered):
        os.unlink(offered)
    with open(setup, "w", encoding="utf-8") as file:
        file.write(SETUP)
    child, terminal = pty.fork()
    if child == 0:
        os.environ["OFFERED"] = offered
        os.execvp("zsh", ["zsh", "-f", "-i"])
    os.write(terminal, f"source {setup}\n".encode())
    wait_for(offered, "READY", terminal)
    os.write(terminal, sys.argv[1].encode() + b"\x18")
    lines = wait_for(offered, "END", terminal)
    os.kill(child, 9)
    os.waitpid(child, 0)
    print("\n".join(line for line in lines if line not in ("READY", "END")))


main()
