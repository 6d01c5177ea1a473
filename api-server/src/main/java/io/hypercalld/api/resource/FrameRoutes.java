package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/machine/frames}: whose a frame is, and the way back to the guest. Immutable. */
final class FrameRoutes {
  private FrameRoutes() {}

  /**
   * What is known of a frame of the machine.
   *
   * @param owner the domain that owns it; empty where none does
   * @param references general references, that of the allocation included
   * @param countInfo Xen's word of them
   * @param gfn the owner's guest frame that maps it: the M2P
   */
  record FrameView(
      Mfn mfn,
      Optional<Integer> owner,
      FrameUse use,
      long references,
      Word countInfo,
      Optional<Gfn> gfn) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/v1/machine/frames/{mfn}", "Whose a frame of the machine is, and what maps it")
            .answering(FrameView.class)
            .on(FrameRoutes::show));
  }

  private static Function<Machine, Reply> show(Request request) {
    Mfn mfn = Names.mfn(request);
    return machine -> {
      FrameTable frames = machine.hypervisor().frames();
      if (!frames.contains(mfn.value())) {
        throw Refusal.of(Errno.ENXIO, "frame %s is not RAM", mfn);
      }
      int owner = frames.owner(mfn.value());
      return Reply.ok(
          new FrameView(
              mfn,
              owner == FrameTable.NO_OWNER ? Optional.empty() : Optional.of(owner),
              frames.use(mfn.value()),
              frames.references(mfn.value()),
              new Word(frames.countInfo(mfn.value())),
              mappedAt(frames, mfn)));
    };
  }

  /** What the M2P says of a frame; nothing of what is no frame. */
  static Optional<Gfn> mappedAt(FrameTable frames, Mfn mfn) {
    if (!mfn.isValid() || !frames.contains(mfn.value())) {
      return Optional.empty();
    }
    long gfn = frames.m2p(mfn.value());
    return gfn < 0 ? Optional.empty() : Optional.of(new Gfn(gfn));
  }
}
