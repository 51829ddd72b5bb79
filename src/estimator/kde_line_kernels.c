/* Sums of kernels along a line: samples charge the nodes of their cells, nodes act on those in reach,
   and from there on the samples (see kde_line.c).  All is in double and in one order, whatever the
   width of the registers. */

#include "kernels.h"
#include <infoplane/lanes.h>
#include <math.h>

enum { NODES = IP_KDE_NODES, REACH = IP_KDE_REACH, BATCH = 8, FOURS = NODES / 4 };

typedef double four __attribute__((vector_size(32)));

/* Numbers of all nodes. */
typedef struct {
  four v[FOURS];
} nodes;

#define EACH_FOUR(i) _Pragma("GCC unroll 3") for (size_t i = 0; i < FOURS; i++)

IP_INLINE nodes load(const double *from)
{
  nodes a;

  memcpy(&a, from, sizeof a);
  return a;
}

IP_INLINE void store(double *to, const nodes *a)
{
  memcpy(to, a, sizeof *a);
}

IP_INLINE void add_times(nodes *sum, double x, const nodes *a)
{
  EACH_FOUR(i) sum->v[i] += x * a->v[i];
}

IP_INLINE void turn_round(double a[NODES])
{
  for (size_t i = 0; i < NODES / 2; i++) {
    const double kept = a[i];

    a[i] = a[NODES - 1 - i];
    a[NODES - 1 - i] = kept;
  }
}

/* 1 / prod_j (x_k - x_j), j != k: (-1)^k sin((2 k + 1) pi / 24) 2^11 / 12. */
IP_INLINE double node_weight(size_t k)
{
  const double sine = ip_kde_node(k < NODES / 2 ? NODES / 2 - 1 - k : k - NODES / 2);

  return (k % 2 ? -sine : sine) * 0x1p11 / NODES;
}

/* The cells of some samples, and what the nodes of a cell are for each: Lagrange's polynomials, by the
   products of what comes before and after a node. */
IP_INLINE void interpolate(const ip_kde_line_task *task, size_t first, size_t cell[BATCH],
                           double of_node[BATCH][NODES])
{
  double x[BATCH], before[BATCH], after[BATCH], value[NODES][BATCH];

  for (size_t s = 0; s < BATCH; s++) {
    const double u = task->u[first + s < task->n ? first + s : task->n - 1],
                 at = (u - task->low) / task->h, whole = floor(at);

    cell[s] = (size_t)whole;
    x[s] = 2.0 * (at - whole) - 1.0;
    before[s] = after[s] = 1.0;
  }
  for (size_t k = 0; k < NODES; k++)
    for (size_t s = 0; s < BATCH; s++) {
      value[k][s] = node_weight(k) * before[s];
      before[s] *= x[s] - ip_kde_node(k);
    }
  for (size_t k = NODES; k-- > 0;)
    for (size_t s = 0; s < BATCH; s++) {
      value[k][s] *= after[s];
      after[s] *= x[s] - ip_kde_node(k);
    }
  for (size_t s = 0; s < BATCH; s++)
    for (size_t k = 0; k < NODES; k++) of_node[s][k] = value[k][s];
}

/* Weight w of a sample of class y joins the charges of its cell. */
IP_INLINE void join(const ip_kde_line_task *task, size_t y, size_t cell, double w,
                    const double of_node[NODES])
{
  double *to = task->charge + (y * task->cells + cell) * NODES;
  const nodes here = load(of_node);
  nodes sum = load(to);

  add_times(&sum, w, &here);
  store(to, &sum);
  task->filled[y * task->cells + cell] = true;
}

static void charge(const ip_kde_line_task *task)
{
  double of_node[BATCH][NODES];
  size_t cell[BATCH];

  for (size_t i = 0; i < task->n; i += BATCH) {
    interpolate(task, i, cell, of_node);
    for (size_t s = 0; s < BATCH && i + s < task->n; s++) {
      if (!task->p) {
        join(task, (size_t)task->y[i + s], cell[s], 1.0, of_node[s]);
        continue;
      }
      for (size_t y = 0; y < task->k; y++) {
        const double w = task->p[(i + s) * task->k + y];

        if (w != 0.0) join(task, y, cell[s], w, of_node[s]);
      }
    }
  }
}

/* Charges of a cell act on the nodes of the one so many above, whose potentials are given. */
IP_INLINE void act_on(const double *kernel, const double mine[NODES], double potential[NODES])
{
  nodes sum = load(potential);

#pragma GCC unroll 12
  for (size_t l = 0; l < NODES; l++) {
    const nodes row = load(kernel + l * NODES);

    add_times(&sum, mine[l], &row);
  }
  store(potential, &sum);
}

/* What the charges of one cell do in the cells in reach: downwards, seen in a mirror, as upwards. */
static void act(const ip_kde_line_task *task, size_t cell, const double *of_cell,
                double *potential)
{
  double mirrored[NODES], there[NODES];

  memcpy(mirrored, of_cell, sizeof mirrored);
  turn_round(mirrored);
  for (size_t o = 0; o <= REACH; o++) {
    const double *kernel = task->kernel + o * NODES * NODES;

    if (cell + o < task->cells) act_on(kernel, of_cell, potential + (cell + o) * NODES);
    if (o == 0 || o > cell) continue;
    memcpy(there, potential + (cell - o) * NODES, sizeof there);
    turn_round(there);
    act_on(kernel, mirrored, there);
    turn_round(there);
    memcpy(potential + (cell - o) * NODES, there, sizeof there);
  }
}

static void collect(const ip_kde_line_task *task)
{
  double of_node[BATCH][NODES];
  size_t cell[BATCH];

  for (size_t i = 0; i < task->n; i += BATCH) {
    interpolate(task, i, cell, of_node);
    for (size_t s = 0; s < BATCH && i + s < task->n; s++) {
      const nodes here = load(of_node[s]);

      for (size_t y = 0; y < task->k; y++) {
        const nodes there = load(task->potential + (y * task->cells + cell[s]) * NODES);
        const four sum =
            (here.v[0] * there.v[0] + here.v[1] * there.v[1]) + here.v[2] * there.v[2];

        task->sum[(i + s) * task->k + y] = fmax(0.0, (sum[0] + sum[2]) + (sum[1] + sum[3]));
      }
    }
  }
}

static void sum_line(const ip_kde_line_task *task)
{
  const size_t of_class = task->cells * NODES;

  memset(task->charge, 0, task->k * of_class * sizeof(double));
  memset(task->potential, 0, task->k * of_class * sizeof(double));
  memset(task->filled, 0, task->k * task->cells * sizeof *task->filled);
  charge(task);
  for (size_t y = 0; y < task->k; y++)
    for (size_t cell = 0; cell < task->cells; cell++)
      if (task->filled[y * task->cells + cell])
        act(task, cell, task->charge + y * of_class + cell * NODES,
            task->potential + y * of_class);
  collect(task);
}

const ip_kde_line_kernels IP_OF_WIDTH(ip_kde_line_kernels) = {.sum_line = sum_line};
