/* Distance of a point to the curve, along both axes, between its points by straight lines: these
   run below the concave curve, so distances come out too small, if at all. */

#include <infoplane/bottleneck.h>
#include <math.h>

static const double rounding = 1e-9; /* bits by which a point may lie beyond the last one */

/* Ordinate at `a` of the line of the points (from[i], to[i]), ascending, with (0, 0) before them;
   on a step the first.  NaN beyond the last. */
static double interpolate(size_t n, const double from[], const double to[], double a)
{
  double x = 0.0, y = 0.0;

  if (a <= 0.0) return 0.0;
  for (size_t i = 0; i < n; i++) {
    if (a <= from[i]) return y + (to[i] - y) * (a - x) / (from[i] - x);
    x = from[i], y = to[i];
  }
  return a <= x + rounding ? y : (double)NAN;
}

ip_bound_distance ip_bottleneck_distance(size_t n, const double curve_i_xt[],
                                         const double curve_i_ty[], double i_xt, double i_ty)
{
  return (ip_bound_distance){.horizontal = i_xt - interpolate(n, curve_i_ty, curve_i_xt, i_ty),
                             .vertical = interpolate(n, curve_i_xt, curve_i_ty, i_xt) - i_ty};
}
