/* Sums in a fixed order, and plug-in entropies of counts and weights. */

#include <infoplane/numerics.h>

double ip_sum(size_t n, const double value[])
{
  double sum = 0.0;

  if (n > 64) {
    const size_t half = n / 2;

    return ip_sum(half, value) + ip_sum(n - half, value + half);
  }
  for (size_t i = 0; i < n; i++) sum += value[i];
  return sum;
}

/* n log2 n, 0 at 0. */
static double n_log2_n(double n)
{
  return n > 0.0 ? n * ip_log2(n) : 0.0;
}

double ip_entropy_counts(size_t n, const uint32_t count[])
{
  double total = 0.0, sum = 0.0;

  for (size_t i = 0; i < n; i++) {
    total += (double)count[i];
    sum += n_log2_n((double)count[i]);
  }
  return total > 0.0 ? ip_log2(total) - sum / total : 0.0;
}

double ip_entropy_weights(size_t n, const double weight[])
{
  const double total = ip_sum(n, weight);
  double sum = 0.0;

  for (size_t i = 0; i < n; i++) sum += n_log2_n(weight[i]);
  return total > 0.0 ? ip_log2(total) - sum / total : 0.0;
}

double ip_plugin_bias(double cells, double classes, double samples)
{
  const double ln2 = 0x1.62e42fefa39efp-1;

  return (cells - 1.0) * (classes - 1.0) / (2.0 * samples * ln2);
}
