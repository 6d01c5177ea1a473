package io.hypercalld.core.domain;

import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Coverage;
import io.hypercalld.core.p2m.HostFrames;

/**
 * The machine's frames as far as they decide how guests may cache them: none of its devices has
 * registers that guests must not write. Confined to the machine thread.
 */
final class MachineFrames implements HostFrames {
  private final FrameTable frames;

  MachineFrames(FrameTable frames) {
    this.frames = frames;
  }

  @Override
  public Coverage special(Mfn first, long count) {
    long end = first.value() + count;
    long found = 0;
    for (long mfn = first.value(); mfn < end; ) {
      long next = frames.contains(mfn) ? Math.min(end, frames.blockEnd(mfn)) : mfn + 1;
      if (frames.contains(mfn) && frames.use(mfn) == FrameUse.SPECIAL) {
        found += next - mfn;
      }
      mfn = next;
    }
    return Coverage.of(found > 0, found == count);
  }

  @Override
  public Coverage readOnlyMmio(Mfn first, long count) {
    return Coverage.NONE;
  }
}
