/* What a launch will take, from the plan and the speeds of a machine. */

#include "cli.h"
#include <math.h>
#include <string.h>

static const double libraries =
    60e6; /* bytes of a rank that has MPI, PETSc and HDF5 up and no work */

PetscErrorCode forecast_start(const ip_plan *plan, const ip_rates *rates, double *seconds)
{
  uint64_t bytes;

  PetscCall(ip_store_size(plan, &bytes));
  *seconds = rates->second[IP_COST_launch] + rates->second[IP_COST_file] +
             (double)bytes * rates->second[IP_COST_file_byte] +
             ip_cost_curves(plan) * rates->second[IP_COST_curve];
  return PETSC_SUCCESS;
}

/* ---- groups of ranks --------------------------------------------------------------------------------- */

size_t ranks_per_run(const ip_plan *plan)
{
  return (size_t)ip_options_value(plan->options, 0, IP_KEY_RANKS_PER_RUN)->integer;
}

size_t groups_of(const ip_plan *plan, size_t ranks)
{
  return (size_t)ip_study_leaders((int)ranks, ranks_per_run(plan));
}

int checkpointing_ranks(const ip_plan *plan, size_t ranks)
{
  const ip_value *every = ip_options_value(plan->options, 0, IP_KEY_CHECKPOINT);

  return every->word >= 0 || ip_plan_is_given(plan) ? 0 : (int)groups_of(plan, ranks);
}

/* The first line begins with the label, the others as far from the margin. */
static void begin_line(size_t *line, const char *label)
{
  if ((*line)++ == 0)
    fputs(label, stdout);
  else
    printf("%.1s%*s", label, (int)strlen(label) - 1, "");
}

void print_idle(size_t each)
{
  printf("above %d groups rank 0 only hands out runs: %zu that would assist it %s idle\n",
         (int)IP_RANK_0_TRAINS, each - 1, each == 2 ? "is" : "are");
}

void print_groups(const ip_plan *plan, size_t ranks, const char *label)
{
  const size_t asked = ranks_per_run(plan), each = asked < ranks ? asked : ranks;
  size_t line = 0, shared = 0;

  if (each <= 1) return;
  for (size_t r = 0; r < plan->n_runs; r++) shared += (size_t)ip_run_is_shared(plan, r);
  begin_line(&line, label);
  printf("of %zu ranks, of which the first trains a run and the others assist its kde\n", each);
  if (shared < plan->n_runs) {
    begin_line(&line, label);
    printf("%zu of %zu runs have so much kde that it is shared; in others they have nothing to "
           "do\n",
           shared, plan->n_runs);
  }
  if (shared > 0) {
    begin_line(&line, label);
    puts("how long a shared look takes is estimated as if nobody waited for another");
  }
  if (groups_of(plan, ranks) <= IP_RANK_0_TRAINS) return;
  begin_line(&line, label);
  print_idle(each);
}

/* ---- wall times -------------------------------------------------------------------------------------- */

/* time: shape (2 n); the last group may have fewer ranks than the others, and be the only one. */
static PetscErrorCode simulate_all(const ip_times_of *times, size_t n, const size_t ranks[],
                                   ip_run_time time[], ip_forecast forecast[])
{
  const double *second = times->rates->second;
  ip_launch start = {.n = times->n,
                     .time = time,
                     .ranks_per_run = times->ranks_per_run,
                     .message = second[IP_COST_message],
                     .handing = second[IP_COST_handing]};

  PetscCall(forecast_start(times->plan, times->rates, &start.before));
  PetscCall(ip_run_times(times, time));
  for (size_t i = 0; i < n; i++) {
    ip_times_of last = *times;

    last.ranks_per_run = ranks[i] % times->ranks_per_run;
    start.last = last.ranks_per_run > 0 ? time + times->n : NULL;
    if (start.last) PetscCall(ip_run_times(&last, time + times->n));
    start.ranks = ranks[i];
    PetscCall(ip_launch_simulate(&start, &forecast[i]));
  }
  return PETSC_SUCCESS;
}

ip_times_of forecast_all(const ip_plan *plan, const ip_rates *rates)
{
  return (ip_times_of){
      .plan = plan, .rates = rates, .n = plan->n_runs, .ranks_per_run = ranks_per_run(plan)};
}

PetscErrorCode forecast_launches(const ip_times_of *of, size_t n, const size_t ranks[],
                                 ip_forecast forecast[])
{
  ip_run_time *time = NULL;
  PetscErrorCode code = IP_ALLOCATE(2 * of->n, &time);

  if (!code) code = simulate_all(of, n, ranks, time, forecast);
  ip_release(&time);
  return code;
}

PetscErrorCode forecast_runs(const ip_plan *plan, const ip_rates *rates, double seconds[])
{
  ip_times_of one = forecast_all(plan, rates);

  one.n = 1;
  for (size_t r = 0; r < plan->n_runs; r++) {
    const int32_t run = (int32_t)r;
    ip_run_time time;

    one.todo = &run;
    PetscCall(ip_run_times(&one, &time));
    seconds[r] = time.seconds;
  }
  return PETSC_SUCCESS;
}

/* ---- memory ------------------------------------------------------------------------------------------ */

double memory_of_rank(const ip_plan *plan)
{
  double bytes = libraries + (double)ip_plan_memory(plan, ranks_per_run(plan));

  for (size_t i = 0; i < plan->data->n; i++) {
    const ip_dataset *set = plan->data->set[i];
    const size_t sample = set->d * sizeof *set->x + sizeof *set->y +
                          (set->p ? (size_t)set->k * sizeof *set->p : 0);

    bytes += (double)(set->n * sample);
  }
  return bytes;
}

void format_duration(double seconds, char text[32])
{
  const double rounded = floor(seconds + 0.5);

  if (seconds >= 0.0 && seconds < 10.0)
    snprintf(text, 32, "%.1f s", seconds);
  else if (seconds >= 120.0 && rounded < 7200.0)
    snprintf(text, 32, "%.0f m %02.0f s", floor(rounded / 60.0), fmod(rounded, 60.0));
  else
    ip_seconds_format(seconds, text);
}
