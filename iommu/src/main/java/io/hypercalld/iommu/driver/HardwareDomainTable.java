package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import java.util.List;
import java.util.function.Consumer;

/**
 * How dom0's table of all RAM, each frame at its own number, was first built at boot, but for what
 * the hypervisor keeps to itself. Stateless.
 *
 * <p>The loop that was shipped goes on to the next turn when it meets a frame of the hypervisor's,
 * and forgets to go on to the next frame: it never ends. A watchdog ends it here.
 *
 * @see "xen/arch/ia64/xen/mm.c and vtd.c, iommu_set_dom0_mapping (2008)"
 */
public final class HardwareDomainTable {
  private HardwareDomainTable() {}

  /** How far it came. */
  public sealed interface Progress {}

  /**
   * All of it was built.
   *
   * @param mapped frames
   */
  public record Built(long mapped) implements Progress {}

  /**
   * The watchdog saw the same frame twice.
   *
   * @param at the frame that is never left
   * @param mapped frames mapped before
   */
  public record Stuck(Mfn at, long mapped) implements Progress {}

  /**
   * Builds it.
   *
   * @param ram what there is
   * @param kept what the hypervisor keeps of it
   * @param map what is done with each frame that dom0's devices may reach
   */
  public static Progress build(
      List<FrameRun> ram, List<FrameRun> kept, Profile profile, Consumer<Mfn> map) {
    long mapped = 0;
    for (FrameRun run : ram) {
      long seen = -1;
      long mfn = run.mfn();
      while (mfn < run.mfn() + run.count()) {
        if (isKept(kept, mfn)) {
          if (seen == mfn) {
            return new Stuck(new Mfn(mfn), mapped);
          }
          seen = mfn;
          mfn += profile == Profile.AS_SHIPPED ? 0 : 1;
          continue;
        }
        map.accept(new Mfn(mfn));
        mapped++;
        mfn++;
      }
    }
    return new Built(mapped);
  }

  private static boolean isKept(List<FrameRun> kept, long mfn) {
    return kept.stream().anyMatch(run -> mfn >= run.mfn() && mfn < run.mfn() + run.count());
  }
}
