// The two halves of `signfold demo`.
#pragma once

#include <optional>
#include <string>

#include "signfold/cli/command.h"

namespace signfold::cli {

/// Synthetic vectors: predicted and measured risk of every decoder, beside the limit of any code.
Report demo_synthetic(const Common& common);

/// Fashion-MNIST as Debian packages it. Writes models, codes and a picture into the directory `out`. Nothing when the
/// package is not installed.
std::optional<Report> demo_fashion(const std::string& out, const Common& common);
/// The Debian package that demo_fashion reads.
extern const char* const kFashionPackage;

}  // namespace signfold::cli
