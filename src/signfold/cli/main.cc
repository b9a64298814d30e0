#include "signfold/cli/cli.h"

int main(int argc, char** argv) { return signfold::cli::run(argc, argv); }
