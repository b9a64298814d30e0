#include "signfold/codec/fit_staged.h"

#include <utility>

#include "signfold/base/error.h"
#include "signfold/codec/stages_for_rate.h"
#include "signfold/codec/train.h"

namespace signfold {
namespace {

void check_options(const FitOptions& options) {
  if (options.decoder != "auto" || options.basis != "identity" || options.prior != "auto") {
    fail("encoder staged has decoders of its own: leave decoder, basis and prior as they are");
  }
  if (options.whiten || options.center == Centering::never || options.scale == ScaleKind::f32) {
    fail("encoder staged works on centred vectors that are not whitened, and stores no norm");
  }
}

}  // namespace

Model fit_staged(Source& source, const FitOptions& options) {
  check_options(options);
  const Matrix<float> rows = read_all(source, options.max_rows);
  const auto kept = matrix_source(rows, source.description());
  TrainRequest request;
  request.vectors = kept.get();
  request.stages = stages_for_rate(options.rate, source.dim());
  request.seed = options.seed;
  request.threads = options.threads;
  if (options.progress) {
    request.progress = [&](const TrainProgress& progress) { options.progress(progress.step, progress.steps); };
  }
  Model model = train(request).model;
  model.item_shape = source.item_shape();
  model.metadata.erase("trained on");
  model.metadata["fitted on"] = source.description();
  model.metadata["vectors used"] = std::to_string(rows.rows());
  return model;
}

}  // namespace signfold
