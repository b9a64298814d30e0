#include "signfold/codec/given_encoder.h"

#include <filesystem>

#include "signfold/base/error.h"
#include "signfold/codec/magic.h"
#include "signfold/codec/model.h"
#include "signfold/encoder/dense.h"
#include "signfold/source/source.h"

namespace signfold {

EncoderPtr read_encoder_file(const std::string& path, std::size_t dim) {
  std::error_code ignored;  // of a path that cannot be followed: opening it as vectors says so
  if (std::filesystem::exists(path, ignored) && file_kind(path) == FileKind::model) {
    EncoderPtr encoder = load_model(path).encoder;
    if (!encoder) fail("{} holds a staged code: it has no single encoder to take", path);
    if (encoder->dim() == dim) return encoder;
    fail("the encoder of {} is for {} coordinates, the vectors have {}", path, encoder->dim(), dim);
  }
  const auto source = open_source(path);
  if (source->dim() != dim) {
    fail("{} has rows of {} coordinates, the vectors have {}", source->description(), source->dim(), dim);
  }
  return make_dense(read_all(*source));
}

}  // namespace signfold
