# Prints what fish offers for the end of the command line $argv[1], one word per line.
lambda-invoke completions fish | source
for offer in (complete --do-complete $argv[1])
    string split --fields 1 \t -- $offer
end
exit 0
