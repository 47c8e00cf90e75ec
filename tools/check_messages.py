"""Every error that a recipe or a data file can cause stands with its words in some tests/cli/*.case."""

import re

import sources

CALL = re.compile(r"\b(?:fail(?!_errno)\w*|refuse\w*|(?<!\.)problems\.(?:push_back|unless))\(|\bRowProblem\{")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
EXPECTED = re.compile(r"^std(?:err|out): (.*)", re.M)
FEWEST_WORDS = 3  # shorter pieces are joints of a sentence

# Errors that no recipe and no data file of a test can cause: file, piece of the message, why.
UNREACHED = [
    ("src/base/lock_file.cpp", "in use by process",
     "needs two runs at once: tests/faults/program_test.py"),
    ("src/base/run.cpp", "must not be negative",
     "the recipe and the command line have a range for it"),
    *(("src/compress/conv_prune.cpp", part, "no verb prunes convolutions: tests/compress/conv_prune_test.cpp")
      for part in ("its weights are not finite", "leaves none of the", "is not above 0 and below 1")),
    ("src/curate/row_store.cpp", "the file was cut short while it was read",
     "needs a file that changes meanwhile: tests/curate/row_store_test.cpp"),
    ("src/curate/texts.cpp", "the row has changed since it was first read",
     "needs a file that changes meanwhile: tests/curate/texts_test.cpp"),
    ("src/data/cb4.cpp", "which no 4-bit code and binary16 scale can hold",
     "a model with such weights fails before, in calibration: tests/data/cb4_test.cpp"),
    ("src/data/arithmetic.cpp", "are no range",
     "no setting names levels"),
    ("src/data/arithmetic.cpp", "hardly more than",
     "seconds of drawing come before it: tests/data/arithmetic_test.cpp"),
    ("src/data/chat_spans.cpp", "the turn seems to end before it begins",
     "other refusals come before it with every template tried"),
    ("src/data/chat_spans.cpp", "its header cannot be told from it",
     "its content is looked for before"),
    ("src/data/chat_template.cpp", "no template of chat_template is called",
     "needs a tokenizer: tests/data/chat_template_test.cpp"),
    ("src/data/grammar.cpp", "ask for", "no setting names the size of the language"),
    ("src/data/jinja/lexer.cpp", "the template is larger than 1 MiB",
     "the file's reader has the same limit"),
    ("src/nn/llm/generation_config.cpp", "is no token of a vocabulary of",
     "needs a whole model: tests/nn/llm/generation_config_test.cpp"),
    ("src/pipeline/chat.cpp", "the model has no chat template",
     "needs a tokenizer: tests/pipeline/chat_test.cpp"),
    ("src/pipeline/chat.cpp", "say it as the template asks",
     "needs a tokenizer: tests/pipeline/chat_test.cpp"),
    ("src/pipeline/claims/mixed_precision.cpp", "the run had no validation",
     "minutes of training come before it: tests/pipeline/claims/mixed_precision_test.cpp"),
    ("src/train/token_store.cpp", "does not go with the shards beside it",
     "is a warning: tests/train/token_store_test.cpp"),
    ("src/train/chat_tokens.cpp", "the beginning-of-text token stands twice",
     "needs a tokenizer with such a token: tests/train/chat_tokens_test.cpp"),
    ("src/train/session_nn.cpp", "bf16 is for one process",
     "nproc is refused before; a launcher's processes are not of a case"),
    ("src/data/input_file.cpp", "no such file",
     "the path's setting is named before: check_inputs()"),
    ("src/data/input_file.cpp", "cannot be opened",
     "whoever runs the tests may be allowed to read everything"),
    ("src/data/input_file.cpp", "is not a regular file",
     "needs a pipe or a device with a data file's name"),
    ("src/data/ngram.cpp", "choose 1 to",
     "the setting has this range"),
    ("src/data/ngram.cpp", "use a tokenizer that has tokens",
     "a tokenizer without a token reads no text"),
    *(("src/data/idx.cpp", part, "no verb reads idx, claim 2.2_mnist10k does: tests/data/idx_test.cpp")
      for part in ("is no idx file", "holds elements of type", "dimensions; 1 to 4 are read", "ends within its header",
                   "an array has 1 to", "ends after", "goes on after the", "dimensions, images have 3", "does not have one label")),
    ("src/data/ngram.cpp", "there is no token to count",
     "eval names the file before"),
    ("src/data/ngram.cpp", "is outside the vocabulary of",
     "the same tokenizer counts and scores"),
    ("src/data/parquet.cpp", "the plug-in that reads .parquet cannot be opened (",
     "it is built where Arrow is: tests/data/parquet_test.cpp, where it is not"),
    ("src/data/read.cpp", "correct or remove the row",
     "every command takes rejects"),
    ("src/data/read.cpp", "split it, or give it as .jsonl",
     "needs a file over 1 GiB"),
    ("src/data/table.cpp", "columns differ from those of the first row",
     "such a row is a reject"),
    ("src/data/text_file.cpp", "of it are one piece",
     "needs a file over 1 GiB"),
    ("src/data/token_shards.cpp", "the tokens are made again from the data",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "is too short for a shard",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "is no shard of tokens",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "is of version",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "has a damaged header",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "and its header tells of",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "its checksum differs",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "that its vocabulary does not have",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "documents that are out of order",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/token_shards.cpp", "does not follow the shard before it",
     "is a warning where train meets it: tests/data/token_shards_test.cpp"),
    ("src/data/tokenizer/bpe_train.cpp", "not valid UTF-8 at byte",
     "the readers of data set such rows aside"),
    ("src/data/tokenizer/bpe_train.cpp", "bytes and special tokens alone need",
     "vocab_size has this range"),
    ("src/data/tokenizer/bpe_train.cpp", "is empty or stands twice",
     "no setting names special tokens"),
    ("src/data/tokenizer/bpe_train.cpp", "is not a special token",
     "no setting names special tokens"),
    ("src/data/tokenizer/tokenizer.cpp", "text is not valid UTF-8 at byte",
     "the readers of data set such rows aside"),
    ("src/data/tokenizer/wordpiece.cpp", "text is not valid UTF-8 at byte",
     "the readers of data set such rows aside"),
    ("src/kernels/dispatch.cpp", "this machine cannot run kernel row",
     "which rows it runs is the machine's affair"),
    ("src/nn/checkpoint.cpp", "resume with the version that wrote it",
     "needs a checkpoint of another version"),
    ("src/nn/checkpoint_nn.cpp", "the model has changed since this checkpoint",
     "other settings and other inputs are refused before"),
    ("src/nn/resume_checks.cpp", "whose steps take other batches",
     "needs a launcher that starts another number: tests/nn/resume_checks_test.cpp"),
    ("src/pipeline/claims.cpp", "needs a folder for what it measures",
     "the command line always has one"),
    ("src/pipeline/claims_file.cpp", "there is no data set",
     "a claim that names what it needs is skipped: tests/pipeline/claims/convolution_test.cpp"),
    ("src/pipeline/execute.cpp", "out of memory",
     "needs a machine without memory"),
    ("src/pipeline/processes.cpp", "and rank 0's is",
     "needs two machines"),
    ("src/pipeline/processes.cpp", "was started with other settings than rank 0",
     "needs two command lines at once: tests/pipeline/processes_test.cpp"),
    ("src/pipeline/run_folder.cpp", "no such folder",
     "inspect names the path before"),
]


def call_text(text, begin):
    """From an opening bracket to the one that closes it."""
    depth, at = 0, begin
    while at < len(text):
        string = STRING.match(text, at)
        if string:
            at = string.end()
            continue
        depth += (text[at] in "({") - (text[at] in ")}")
        at += 1
        if depth == 0:
            break
    return text[begin:at]


def pieces(call):
    """The words between what is filled in; literals that follow one another are one."""
    for literal in STRING.findall(re.sub(r'"\s*\n\s*"', "", call)):
        piece = re.sub(r"\\(.)", r"\1", literal).strip(' ";:')
        if len(piece.split()) >= FEWEST_WORDS:
            yield piece


expected = "\n".join(line for path in sources.tracked(".case", under="tests/cli/")
                     for line in EXPECTED.findall(sources.read(path)))
unused = set(range(len(UNREACHED)))
for path in sources.tracked(".cpp", ".h", under="src/"):
    text = sources.without_comments(sources.read(path), keep_strings=True)
    for match in CALL.finditer(text):
        call = call_text(text, match.end() - 1)
        if re.search(r"ErrorKind::(?!config|data)", call):
            continue  # of the machine, not of what a user wrote
        missing = [piece for piece in pieces(call) if piece not in expected]
        rows = {row for row, (file, part, _) in enumerate(UNREACHED) if file == str(path) and part in call}
        unused -= rows if missing else set()
        if missing and not rows:
            line = text.count("\n", 0, match.start()) + 1
            sources.finding(path, line, f'no case expects "{missing[0]}"; add one to tests/cli/, or say in tools/check_messages.py why none can')
for row in sorted(unused):
    file, part, _ = UNREACHED[row]
    sources.finding("tools/check_messages.py", 1, f'"{part}" of {file} is gone or has a case; delete its row')
sources.finish()
