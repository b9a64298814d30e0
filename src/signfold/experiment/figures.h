// The figures, one file each.
#pragma once

#include "signfold/experiment/figure.h"

namespace signfold::experiment {

Figure gaussian_value_figure();
Figure phase_transition_figure();
Figure denoiser_figure();
Figure depth_figure();
Figure cifar_figure();
Figure mnist_figure();
Figure beyond_figure();
Figure staged_figure();

}  // namespace signfold::experiment
