/* Kernel sums of samples on a line, u_i, in time n and not n^2:

     sum_j exp(-(u_i - u_j)^2 / w^2)

   The line is cut into cells of h = w/2.  Within a cell, the kernel is a polynomial of either
   argument through K = 12 Chebyshev nodes, so the samples of a cell act as charges at its nodes; the
   nodes act on those of the cells up to REACH away, and from there on the samples.  By Cramer's bound
   of Hermite functions, |f^(K)| <= 1.09 2^(K/2) sqrt(K!) / w^K, each of the two polynomials is off by

     |f^(K)| / K! (h/2)^K / 2^(K-1) <= 1e-13,   together (1 + Lebesgue's constant, < 2.7) <= 3.7e-13

   a pair; beyond the reach a kernel is below 3e-16.  So the sums, each at least 1, are right to
   n 4e-13, and rounding in double adds little: n 5e-13.

   Samples are on a line if they are off it by no more than r: then |t_i - t_j|^2 differs from
   (u_i - u_j)^2 by at most 4 r^2.  The two units of a softmax add up to 1, so that is r = 4e-8.

   Source: Greengard and Strain, SIAM J. Sci. Stat. Comput. 12 (1991) 79; Fong and Darve, J. Comput.
   Phys. 228 (2009) 8712. */

#include "kde.h"
#include "kernels.h"
#include <math.h>

enum { NODES = IP_KDE_NODES, REACH = IP_KDE_REACH };

/* ---- the line ---- */

/* Position along e and square of the distance from it, relative to the sample `from`. */
static double project(const ip_layer *layer, size_t from, size_t i, const double e[],
                      double *off)
{
  double u = 0.0, square = 0.0;

  for (size_t a = 0; a < layer->d; a++) {
    const float *t = layer->t + a * layer->stride;

    u += e[a] * ((double)t[i] - (double)t[from]);
  }
  for (size_t a = 0; a < layer->d; a++) {
    const float *t = layer->t + a * layer->stride;
    const double gap = (double)t[i] - (double)t[from] - u * e[a];

    square += gap * gap;
  }
  *off = square;
  return u;
}

static double distance_from_first(const ip_layer *layer, size_t i)
{
  double square = 0.0;

  for (size_t a = 0; a < layer->d; a++) {
    const double gap =
        (double)layer->t[a * layer->stride + i] - (double)layer->t[a * layer->stride];

    square += gap * gap;
  }
  return sqrt(square);
}

void ip_kde_find_line(const ip_layer *layer, double r_most, double u[], ip_kde_line *line)
{
  enum { TRIED = 256 };
  const size_t step = layer->d > 4 ? layer->n / TRIED + 1 : 1;
  double e[IP_KDE_LINE_UNITS] = {1.0}, farthest = 0.0, off = 0.0;

  *line = (ip_kde_line){.u = u};
  if (layer->d > IP_KDE_LINE_UNITS) return;
  for (size_t i = 0; i < layer->n; i += step) {
    const double distance = distance_from_first(layer, i);

    if (!(distance > farthest)) continue;
    farthest = distance;
    for (size_t a = 0; a < layer->d; a++)
      e[a] = ((double)layer->t[a * layer->stride + i] - (double)layer->t[a * layer->stride]) /
             distance;
  }
  for (size_t i = 0; i < layer->n; i++) {
    u[i] = project(layer, 0, i, e, &off);
    line->r = fmax(line->r, sqrt(off));
    if (line->r > r_most) return;
    line->low = i == 0 ? u[i] : fmin(line->low, u[i]);
    line->high = i == 0 ? u[i] : fmax(line->high, u[i]);
  }
  line->found = true;
}

/* ---- cost and error ---- */

static double cells_of(const ip_kde_line *line, double w)
{
  return floor((line->high - line->low) / (0.5 * w)) + 1.0;
}

double ip_kde_line_cost(const ip_layer *layer, const ip_kde_line *line, double s)
{
  const double n = (double)layer->n, per_sample = NODES * (8.0 + 1.5 * (double)layer->k),
               per_cell = (double)layer->k * (2 * REACH + 1) * NODES * NODES,
               cells = cells_of(line, sqrt(2.0 * s)) + cells_of(line, sqrt(8.0 * s));

  /* more cells than samples gain nothing, and take room */
  return line->found && cells <= 2.0 * n ? 2.0 * n * per_sample + cells * per_cell
                                         : (double)INFINITY;
}

double ip_kde_line_error(const ip_layer *layer, const ip_kde_line *line, double s)
{
  return 1.4426950408889634 * ((double)layer->n * 5e-13 + 2.0 * line->r * line->r / s);
}

/* ---- sums ---- */

/* The kernel between nodes l of a cell and k of the one `o` cells up; shape (REACH + 1, NODES l,
   NODES k). */
static void fill_kernel(double kernel[])
{
  for (size_t o = 0; o <= REACH; o++)
    for (size_t l = 0; l < NODES; l++)
      for (size_t k = 0; k < NODES; k++) {
        const double x = 0.5 * ((double)o + 0.5 * (ip_kde_node(k) - ip_kde_node(l)));

        kernel[(o * NODES + l) * NODES + k] = ip_exp(-x * x);
      }
}

PetscErrorCode ip_kde_line_sums(const ip_layer *layer, const ip_kde_line *line, double w,
                                ip_workspace *work, size_t slot, double sum[])
{
  const size_t k = (size_t)layer->k, cells = (size_t)cells_of(line, w),
               of_kernel = (size_t)(REACH + 1) * NODES * NODES, of_nodes = k * cells * NODES;
  void *room = NULL;

  PetscCall(ip_workspace_room(work, slot,
                              (of_kernel + 2 * of_nodes) * sizeof(double) + k * cells, &room));

  double *kernel = room, *charge = kernel + of_kernel;

  fill_kernel(kernel);
  ip_kde_line_kernels_best()->sum_line(
      &(ip_kde_line_task){.n = layer->n,
                          .k = k,
                          .cells = cells,
                          .low = line->low,
                          .h = 0.5 * w,
                          .u = line->u,
                          .y = layer->y,
                          .p = layer->p,
                          .kernel = kernel,
                          .charge = charge,
                          .potential = charge + of_nodes,
                          .filled = (bool *)(charge + 2 * of_nodes),
                          .sum = sum});
  return PETSC_SUCCESS;
}
