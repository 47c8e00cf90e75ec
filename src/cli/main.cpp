// The program `cupel`: everything that needs no LibTorch.
#include "cli/app.h"

int main(int argc, char** argv) { return cupel::cli::main(argc, argv, {}); }
