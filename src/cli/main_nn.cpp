// The program `cupel-nn`: the same, with what LibTorch brings.
#include "cli/app.h"

int main(int argc, char** argv) {
  return cupel::cli::main(argc, argv, cupel::pipeline::heavy_functions());
}
