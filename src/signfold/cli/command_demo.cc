// signfold demo: the main job, on synthetic vectors and on real pictures.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "signfold/base/error.h"
#include "signfold/cli/commands.h"
#include "signfold/cli/demo.h"
#include "signfold/cli/stopwatch.h"

namespace signfold::cli {
namespace {
void make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail_system(error.value(), "cannot make the directory {}", path);
}

Report demo(const std::string& out, const Common& common) {
  const Stopwatch watch;
  make_directory(out);
  const Report synthetic = demo_synthetic(common);
  const std::optional<Report> fashion = demo_fashion(out, common);

  Report report;
  report.json = {{"synthetic", synthetic.json}, {"fashion_mnist", nullptr}};
  report.text = synthetic.text + "\n";
  if (fashion) {
    report.json["fashion_mnist"] = fashion->json;
    report.text += fashion->text;
  } else {
    const std::string note = fmt::format("2. Fashion-MNIST skipped: install the Debian package {}", kFashionPackage);
    report.json["note"] = note;
    report.text += note + "\n";
  }
  report.json["seconds"] = watch.seconds();
  report.text += fmt::format("\n{:.0f} seconds in all\n", watch.seconds());
  return report;
}
}  // namespace

Action declare_demo(CLI::App& app, const Common& common) {
  const auto out = std::make_shared<std::string>("signfold-demo");
  app.add_option("--out", *out, "Directory for models, codes and the picture")->type_name("DIR")->capture_default_str();
  app.footer(help_footer({}, "signfold demo --out signfold-demo"));
  return [out, &common] { return demo(*out, common); };
}

}  // namespace signfold::cli
