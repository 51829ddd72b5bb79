/* The processor's mode for denormals. */

#include <infoplane/numerics.h>
#if defined __x86_64__
#include <immintrin.h>

enum { FLUSH_RESULTS = 0x8000, FLUSH_OPERANDS = 0x40 }; /* of MXCSR: FTZ, DAZ */

uint64_t ip_denormals_flush(void)
{
  const unsigned before = _mm_getcsr();

  _mm_setcsr(before | FLUSH_RESULTS | FLUSH_OPERANDS);
  return before;
}

void ip_denormals_restore(uint64_t before)
{
  _mm_setcsr((unsigned)before);
}

#elif defined __aarch64__

uint64_t ip_denormals_flush(void)
{
  uint64_t before;

  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  ip_denormals_restore(before | (uint64_t)1 << 24); /* FZ */
  return before;
}

void ip_denormals_restore(uint64_t before)
{
  __asm__ volatile("msr fpcr, %0" : : "r"(before));
}

#else

uint64_t ip_denormals_flush(void)
{
  return 0;
}

void ip_denormals_restore(uint64_t before)
{
  (void)before;
}

#endif
