#include "signfold/codec/names.h"

#include "signfold/base/suggest.h"
#include "signfold/encoder/encoder.h"

namespace signfold {

std::string fitted_encoder_help() {
  std::string help = encoder_help();
  if (!help.ends_with('\n')) help += '\n';
  return help +
         "mixed             mixed:M with the M of least linear risk for the prior\n"
         "auto              the fast rotation, or the mixed encoder where that is better\n"
         "staged            learned projections in stages, each of what those before it missed: lowest error on real "
         "data\n"
         "                  at many bits; takes minutes, and brings its own decoder (more: signfold train --stages)\n"
         "rotated:S         fast rotations kept in S stages, each compared with what the others told: nothing "
         "trained,\n"
         "                  and far below one stage at the same bits for sparse vectors or rates above 1\n"
         "dense:FILE        the rows of a matrix (.npy), or the encoder of a model (.sfm), as a trained one\n";
}

std::string basis_help() {
  return "identity      decode in the coordinates of the data\n"
         "pca           in the principal axes of the data\n"
         "dct2:HxW      in the two-dimensional cosine transform of every H x W plane; with dct2:HxWxP\n"
         "              groups of P planes (colours) are mixed too\n"
         "wavelet2:HxW  in two-dimensional wavelets; also wavelet2:HxWxP\n"
         "auto          the simplest whose risk on held-out vectors is the least within noise: identity,\n"
         "              for images dct2 and wavelet2, up to 4096 coordinates pca\n";
}

std::string fitted_prior_help() {
  return "auto                 a profile: mean and scale per coordinate of the basis, shapes learned by EM\n"
         "iid                  one law for all coordinates, learned by EM\n" +
         prior_help();
}

PriorPtr read_prior(const std::string& text) {
  check_spelling("prior", text, prior_help());
  return parse_prior(text);
}

DecoderChoice read_decoder(const std::string& text) {
  check_spelling("decoder", text, decoder_help());
  return parse_decoder(text);
}

void check_fit_names(const FitOptions& options) {
  check_spelling("encoder", options.encoder, fitted_encoder_help());
  check_spelling("basis", options.basis, basis_help());
  check_spelling("prior", options.prior, fitted_prior_help());
  check_spelling("decoder", options.decoder, decoder_help());
}

}  // namespace signfold
