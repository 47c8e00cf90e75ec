"""llama.cpp through the shared libraries of the npm package @node-llama-cpp/linux-x64: log-likelihoods of tokens.

The package has no headers. Parameters are passed as opaque blocks larger than the structs: a caller may hand over more
bytes by value than the callee reads, so only the fields that are set need a known place (they are the first ones).
"""

import ctypes
import pathlib

import numpy as np

NAME = "@node-llama-cpp/linux-x64"
VERSION = "3.22.1"


class Opaque(ctypes.Structure):
    """Room for llama_model_params or llama_context_params, 8-byte aligned."""

    _fields_ = [("words", ctypes.c_uint64 * 64)]


class Batch(ctypes.Structure):
    """llama_batch"""

    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.POINTER(ctypes.c_int32)), ("embd", ctypes.c_void_p),
                ("pos", ctypes.POINTER(ctypes.c_int32)), ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
                ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))), ("logits", ctypes.POINTER(ctypes.c_int8))]


LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
SILENT = LOG(lambda level, text, data: None)


class Model:
    """A model in a GGUF file and one context of `length` tokens."""

    def __init__(self, libraries, path, length, threads):
        libraries = pathlib.Path(libraries)
        ctypes.CDLL(str(libraries / "libggml-base.so"), ctypes.RTLD_GLOBAL)
        ggml = ctypes.CDLL(str(next(libraries.glob("libggml.v*.so"))), ctypes.RTLD_GLOBAL)
        self.library = library = ctypes.CDLL(str(next(libraries.glob("libllama.v*.so"))))
        ggml.ggml_backend_load_all_from_path.argtypes = [ctypes.c_char_p]
        library.llama_log_set(SILENT, None)
        ggml.ggml_log_set(SILENT, None)
        ggml.ggml_backend_load_all_from_path(str(libraries).encode())
        pointer = ctypes.c_void_p
        for name, result, arguments in (
                ("llama_model_default_params", Opaque, []), ("llama_context_default_params", Opaque, []),
                ("llama_model_load_from_file", pointer, [ctypes.c_char_p, Opaque]),
                ("llama_init_from_model", pointer, [pointer, Opaque]), ("llama_model_get_vocab", pointer, [pointer]),
                ("llama_vocab_n_tokens", ctypes.c_int32, [pointer]), ("llama_vocab_bos", ctypes.c_int32, [pointer]),
                ("llama_tokenize", ctypes.c_int32, [pointer, ctypes.c_char_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int32),
                                                    ctypes.c_int32, ctypes.c_bool, ctypes.c_bool]),
                ("llama_batch_init", Batch, [ctypes.c_int32] * 3), ("llama_batch_free", None, [Batch]),
                ("llama_get_memory", pointer, [pointer]), ("llama_memory_clear", None, [pointer, ctypes.c_bool]),
                ("llama_decode", ctypes.c_int32, [pointer, Batch]),
                ("llama_set_n_threads", None, [pointer, ctypes.c_int32, ctypes.c_int32]),
                ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), [pointer, ctypes.c_int32])):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        library.llama_backend_init()
        self.model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"{path}: llama.cpp cannot load it")
        parameters = library.llama_context_default_params()
        sizes = ctypes.cast(ctypes.byref(parameters), ctypes.POINTER(ctypes.c_uint32))
        sizes[0], sizes[1], sizes[2], sizes[3] = length, length, min(length, 512), 1  # n_ctx, n_batch, n_ubatch, n_seq_max
        self.context = library.llama_init_from_model(self.model, parameters)
        if not self.context:
            raise SystemExit(f"{path}: llama.cpp cannot make a context of {length} tokens")
        library.llama_set_n_threads(self.context, threads, threads)
        self.vocabulary = library.llama_model_get_vocab(self.model)
        self.size = library.llama_vocab_n_tokens(self.vocabulary)
        self.bos = library.llama_vocab_bos(self.vocabulary)

    def encode(self, text):
        """Ids without what stands around a text; special tokens in it are recognised, as in cupel."""
        data = text.encode()
        ids = (ctypes.c_int32 * (len(data) + 8))()
        count = self.library.llama_tokenize(self.vocabulary, data, len(data), ids, len(ids), False, True)
        return list(ids[:count])

    def log_likelihood(self, ids, first):
        """Sum over tokens first … of ln p(token | all before it)."""
        library = self.library
        library.llama_memory_clear(library.llama_get_memory(self.context), True)
        batch = library.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids) - 1
        for i, token in enumerate(ids[:-1]):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
            batch.seq_id[i][0] = 0
        if library.llama_decode(self.context, batch) != 0:
            raise SystemExit("llama_decode failed")
        total = 0.0
        for i in range(first - 1, len(ids) - 1):
            logits = np.ctypeslib.as_array(library.llama_get_logits_ith(self.context, i), (self.size,)).astype(np.float64)
            peak = logits.max()
            total += logits[ids[i + 1]] - peak - np.log(np.exp(logits - peak).sum())
        library.llama_batch_free(batch)
        return total
