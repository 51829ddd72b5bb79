#pragma once

/** @file
 *  The input that a network takes for the best example of a class.  Private to the view.
 */

#include <infoplane/network.h>

/** x in [0, 1]^d that maximizes -loss(x, class), the log-probability of the class, by projected gradient
 *  ascent from x = 1/2: steps along the gradient of unit length, shorter and shorter, cut to the cube.
 *  A local maximum.  parameter: as networks keep them; x: shape (d); *probability = exp(-loss) there. */
PetscErrorCode ascent_maximize(const ip_network_shape *shape, const double parameter[],
                               int32_t class, double x[], double *probability);
