/* The schedule played through, against schedules worked out by hand. */

#include "study.h"
#include <stdlib.h>

enum { MOST = 512 };
static const double soon = 2e-3; /* rank 0 sleeps now and then */

/* n equal runs behind one another. */
static void fill(ip_run_time time[], size_t n, double seconds)
{
  for (size_t i = 0; i < n; i++) time[i] = (ip_run_time){.seconds = seconds, .alone = seconds};
}

static ip_forecast of(ip_launch launch)
{
  ip_forecast f = {0};

  OK(ip_launch_simulate(&launch, &f));
  return f;
}

static void equal_runs(void **state)
{
  ip_run_time time[8];

  (void)state;
  fill(time, 8, 10.0);

  const ip_forecast four = of((ip_launch){.n = 8, .time = time, .ranks = 4}),
                    three = of((ip_launch){.n = 8, .time = time, .ranks = 3}),
                    one = of((ip_launch){.n = 8, .time = time, .ranks = 1, .before = 5.0});

  NEAR(four.wall, 20.0, soon, "8 of 10 s on 4");
  NEAR(four.efficiency, 1.0, 1e-3, "8 on 4");
  NEAR(three.wall, 30.0, soon, "8 of 10 s on 3");
  NEAR(three.efficiency, 80.0 / 90.0, 1e-3, "8 on 3");
  NEAR(one.wall, 85.0, 1e-9, "8 of 10 s on one, 5 s before");
  NEAR(one.efficiency, 80.0 / 85.0, 1e-9, "8 on one");
}

static void one_long_run(void **state)
{
  ip_run_time time[11];

  (void)state;
  fill(time, 11, 10.0);
  time[0] = (ip_run_time){.seconds = 100.0, .alone = 100.0};

  /* 100 beside 40 and 30 and 30 */
  const ip_forecast f = of((ip_launch){.n = 11, .time = time, .ranks = 4});

  NEAR(f.wall, 100.0, soon, "the long one");
  NEAR(f.longest, 100.0, 0.0, "longest");
  NEAR(f.efficiency, 200.0 / 400.0, 1e-3, "efficiency");
}

static void more_ranks_than_runs(void **state)
{
  ip_run_time time[3];

  (void)state;
  fill(time, 3, 10.0);

  const ip_forecast f = of((ip_launch){.n = 3, .time = time, .ranks = 8});

  NEAR(f.wall, 10.0, soon, "3 runs on 8");
  NEAR(f.efficiency, 30.0 / 80.0, 1e-3, "3 runs on 8");
}

/* Above 64 ranks that train, rank 0 only hands out. */
static void a_rank_of_its_own_hands_out(void **state)
{
  static ip_run_time time[128];

  (void)state;
  fill(time, 128, 10.0);
  NEAR(of((ip_launch){.n = 128, .time = time, .ranks = 64}).efficiency, 1.0, 1e-3, "64");
  NEAR(of((ip_launch){.n = 128, .time = time, .ranks = 65}).wall, 20.0, soon, "65");
  NEAR(of((ip_launch){.n = 128, .time = time, .ranks = 65}).efficiency, 64.0 / 65.0, 1e-3,
       "65");
}

/* The question arrives at 1 and is seen at 4; the answer is ready at 4.5 and there at 5.5: the worker
   ends at 13.5.  Its last question, 2 s before, arrives at 12.5, and "none" is there at 14. */
static void rank_0_answers_when_it_pauses(void **state)
{
  ip_run_time time[2];

  (void)state;
  fill(time, 2, 8.0);
  for (int i = 0; i < 2; i++) time[i].pause = 4.0, time[i].ahead = 2.0;

  const ip_forecast f =
      of((ip_launch){.n = 2, .time = time, .ranks = 2, .message = 1.0, .handing = 0.5});

  NEAR(f.wall, 14.0, soon, "pause, handing, message");
}

/* Asked for in time, the next run is there when the last one ends; asked for at the end, the worker
   waits for two messages and their answer. */
static void the_next_run_is_asked_for_ahead(void **state)
{
  static ip_run_time time[640];
  const ip_launch launch = {
      .n = 640, .time = time, .ranks = 65, .message = 0.1, .handing = 1e-6};

  (void)state;
  fill(time, 640, 10.0);

  const double late = of(launch).wall;

  for (int i = 0; i < 640; i++) time[i].ahead = 1.0;
  NEAR(of(launch).wall, 0.2 + 100.0, soon, "ahead"); /* the first cannot be asked for before */
  NEAR(late, 100.0 + 11 * 0.2, 10 * soon, "ten runs, and none");
}

/* 100 workers, 0.1 s each: the last begins at 10, and all are told "none" from 10 to 20. */
static void rank_0_is_the_bottleneck(void **state)
{
  static ip_run_time time[100];

  (void)state;
  fill(time, 100, 1.0);
  NEAR(of((ip_launch){.n = 100, .time = time, .ranks = 101, .handing = 0.1}).wall, 20.0, soon,
       "handing");
}

static void groups_share_a_run(void **state)
{
  ip_run_time time[4];

  (void)state;
  for (int i = 0; i < 4; i++) time[i] = (ip_run_time){.seconds = 6.0, .alone = 10.0};

  const ip_forecast f = of((ip_launch){.n = 4, .time = time, .ranks = 4, .ranks_per_run = 2});

  NEAR(f.wall, 12.0, soon, "two groups of two");
  NEAR(f.efficiency, 40.0 / 48.0, 1e-3, "two groups of two");
}

/* Five ranks: two groups of two, and one rank alone. */
static void the_last_group_may_be_smaller(void **state)
{
  ip_run_time time[4], last[4];
  ip_launch launch = {.n = 3, .time = time, .last = last, .ranks = 5, .ranks_per_run = 2};

  (void)state;
  for (int i = 0; i < 4; i++) time[i] = (ip_run_time){.seconds = 6.0, .alone = 10.0};
  fill(last, 4, 10.0);
  NEAR(of(launch).wall, 10.0, soon, "a run each");
  NEAR(of(launch).efficiency, 30.0 / 50.0, 1e-3, "a run each");
  launch.n = 4;
  NEAR(of(launch).wall, 12.0, soon, "one of two has a second one");
  launch.last = NULL;
  NEAR(of(launch).wall, 12.0, soon, "equal groups");
  launch.n = 3;
  NEAR(of(launch).wall, 6.0, soon, "equal groups, a run each");
  launch.last = last; /* the rank alone comes last, and gets what is short for it too */
  time[2].seconds = 2.0, last[2].seconds = 3.0;
  NEAR(of(launch).wall, 6.0, soon, "the last group has the last run");
}

/* Whatever the runs. */
static void bounds_hold(void **state)
{
  static ip_run_time time[MOST];
  unsigned seed = 12345;

  (void)state;
  for (size_t n = 1; n <= MOST; n *= 2) {
    double work = 0.0, before = INFINITY;

    for (size_t i = 0; i < n; i++) {
      seed = seed * 1103515245U + 12345U;
      time[i].seconds = time[i].alone = 1.0 + (double)(seed >> 16 & 1023U);
      work += time[i].alone;
    }
    for (size_t ranks = 1; ranks <= 64; ranks++) {
      const ip_forecast f = of((ip_launch){.n = n, .time = time, .ranks = ranks});

      assert_true(f.wall >= f.longest);
      assert_true(f.wall * (double)ranks >= work * (1.0 - 1e-12));
      assert_true(f.efficiency > 0.0 && f.efficiency <= 1.0 + 1e-12);
      assert_true(f.wall <= before + soon); /* one rank more never costs */
      before = f.wall;
    }
  }
}

static void it_is_large(void **state)
{
  enum { RUNS = 200000, RANKS = 65536 };
  ip_run_time *time = malloc(RUNS * sizeof *time);

  (void)state;
  assert_non_null(time);
  fill(time, RUNS, 100.0);

  /* 65,535 workers: three rounds for all, a fourth for 3,395 of them */
  const ip_forecast f = of((ip_launch){.n = RUNS, .time = time, .ranks = RANKS});

  NEAR(f.wall, 400.0, soon, "65,536 ranks");
  NEAR(f.efficiency, 200000.0 / (65536.0 * 4.0), 1e-4, "65,536 ranks");
  free(time);
}

static void nothing_to_do(void **state)
{
  ip_launch none = {.ranks = 0};
  ip_forecast f = {.wall = -1.0};

  (void)state;
  NEAR(of((ip_launch){.ranks = 3, .before = 2.0}).wall, 2.0, soon, "no runs");
  FAILS(ip_launch_simulate(&none, &f), IP_ERR_CONFIG, "one rank");
  NEAR(f.wall, -1.0, 0.0, "unchanged");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_runs),
      cmocka_unit_test(one_long_run),
      cmocka_unit_test(more_ranks_than_runs),
      cmocka_unit_test(a_rank_of_its_own_hands_out),
      cmocka_unit_test(rank_0_answers_when_it_pauses),
      cmocka_unit_test(the_next_run_is_asked_for_ahead),
      cmocka_unit_test(rank_0_is_the_bottleneck),
      cmocka_unit_test(groups_share_a_run),
      cmocka_unit_test(the_last_group_may_be_smaller),
      cmocka_unit_test(bounds_hold),
      cmocka_unit_test(it_is_large),
      cmocka_unit_test(nothing_to_do),
  };

  return RUN_TESTS(tests);
}
