package io.hypercalld.api.driver;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.GrantStatus;
import io.hypercalld.core.hypercall.CopyGrant;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GrantResult;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.TransferGrant;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The halves of split drivers that have the device.
 *
 * @see "spec/documents.md S3-D1, S3-D6, S3-D11"
 */
final class BackEnds {
  private static final int HOST_MAP = 2;
  private static final int DEST_GREF = 2;

  /** Where a kernel whose guest frames are machine frames maps what has others: at 2 TiB. */
  private static final Gfn UNUSED = new Gfn(1L << 29);

  private BackEnds() {}

  /** A page of another domain's that is mapped. */
  private record Foreign(Gfn at, long handle, Mfn frame) {}

  /** A disk writes a block into pages that the front end grants. */
  static boolean block(DriverRun run) {
    Frontend frontend = Frontend.of(run);
    frontend.grant();
    List<Gfn> at = addresses(run);
    List<Foreign> mapped = mapAll(run, frontend, at);
    List<Gfn> pages = mapped.stream().map(page -> pageOf(run, page)).toList();
    List<Long> buses = run.map(pages, DmaDirection.FROM_DEVICE);
    List<DriverRun.Meant> meant =
        frontend.data().stream().map(page -> run.meant(frontend.domain(), page)).toList();
    frontend.meanwhile();
    List<byte[]> block = new ArrayList<>();
    for (int i = 0; i < buses.size(); i++) {
      block.add(run.page());
      run.write(buses.get(i), block.get(i), meant.get(i));
    }
    boolean held = mapped.stream().allMatch(page -> isHeld(run, page.frame));
    run.unmap(buses, DmaDirection.FROM_DEVICE);
    unmapAll(run, mapped);
    boolean arrived = arrived(run, frontend, meant, block, held);
    frontend.end();
    release(run, at);
    return arrived;
  }

  private static boolean arrived(
      DriverRun run,
      Frontend frontend,
      List<DriverRun.Meant> meant,
      List<byte[]> block,
      boolean held) {
    if (run.script().meanwhile() != DriverScript.Meanwhile.NOTHING) {
      long left = meant.stream().filter(page -> isHeld(run, page.frame().orElseThrow())).count();
      run.did("put_page", "held until unmapped: %s; held afterwards: %d pages", held, left);
      return held && left == 0;
    }
    boolean all = true;
    for (int i = 0; i < block.size(); i++) {
      all &= run.holds(frontend.domain(), frontend.data().get(i), block.get(i));
    }
    return all;
  }

  /** Whether a frame is not to be given to anybody else. */
  private static boolean isHeld(DriverRun run, Mfn frame) {
    return run.frames().references(frame.value()) > 0;
  }

  /** Where the front end's pages are mapped: in pages that are given away, if need be. */
  private static List<Gfn> addresses(DriverRun run) {
    int count = run.script().pages();
    if (run.kernel().mode() == DmaMode.IDENTITY) {
      if (!run.script().ported()) {
        throw run.failed(
            "set_phys_to_machine",
            "there is no table in which a foreign frame could be recorded: frames are what they"
                + " are");
      }
      List<Gfn> unused = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        unused.add(UNUSED.plus(i));
      }
      return unused;
    }
    List<Gfn> pages = OwnDevices.take(run, count);
    require(
        run,
        "balloon_alloc_empty_page_range",
        new DecreaseReservation(
            DomainId.SELF, new GuestFrames.Listed(pages), Optional.empty(), 0, new Word(0)),
        count);
    run.did("balloon_alloc_empty_page_range", "%d pages", count);
    return pages;
  }

  private static void release(DriverRun run, List<Gfn> at) {
    if (run.kernel().mode() != DmaMode.IDENTITY) {
      require(
          run,
          "populate_physmap",
          new PopulatePhysmap(
              DomainId.SELF, new GuestFrames.Listed(at), Optional.empty(), 0, new Word(0)),
          at.size());
      at.forEach(page -> run.kernel().pages().giveBack(page, 0));
    }
  }

  private static void require(DriverRun run, String primitive, Hypercall call, int count) {
    Outcome outcome = run.call(call);
    if (outcome.ret() != count) {
      throw run.failed(primitive, "%d of %d pages", outcome.ret(), count);
    }
  }

  private static List<Foreign> mapAll(DriverRun run, Frontend frontend, List<Gfn> at) {
    List<Foreign> mapped = new ArrayList<>();
    for (int i = 0; i < at.size(); i++) {
      Word address = new Word(at.get(i).value() << PageSize.SHIFT_4K);
      var call = new MapGrantRef(address, HOST_MAP, frontend.ref(i), frontend.domain().id());
      var answer = (MapGrantRef.Mapped) out(run, "gnttab_map_grant_ref", call);
      if (answer.status() != 0) {
        throw run.failed("gnttab_map_grant_ref", "%s", GrantStatus.of(answer.status()));
      }
      Mfn frame = Mfn.containing(answer.devBusAddr().orElseThrow().value());
      mapped.add(new Foreign(at.get(i), answer.handle().orElseThrow(), frame));
      run.did(
          "gnttab_map_grant_ref",
          "grant %d of %s at guest frame %s: frame %s",
          frontend.ref(i),
          frontend.domain().id(),
          at.get(i),
          frame);
    }
    return mapped;
  }

  private static Object out(DriverRun run, String primitive, Hypercall call) {
    return switch (run.call(call)) {
      case Outcome.Success success -> success.out();
      case Outcome.Refused refused ->
          throw run.failed(primitive, "%s: %s", refused.errno(), refused.detail());
      case Outcome.Preempted _ -> throw new IllegalStateException(primitive + " was preempted");
    };
  }

  /**
   * The page as the kernel knows it: by the frame itself, where guest frames are machine frames.
   */
  private static Gfn pageOf(DriverRun run, Foreign page) {
    return run.kernel().mode() == DmaMode.IDENTITY ? new Gfn(page.frame.value()) : page.at;
  }

  private static void unmapAll(DriverRun run, List<Foreign> mapped) {
    for (Foreign page : mapped) {
      Word address = new Word(page.at.value() << PageSize.SHIFT_4K);
      demand(run, "gnttab_unmap_grant_ref", new UnmapGrantRef(address, new Word(0), page.handle));
    }
    run.did("gnttab_unmap_grant_ref", "%d grants", mapped.size());
  }

  private static void demand(DriverRun run, String primitive, Hypercall call) {
    var answer = (GrantResult) out(run, primitive, call);
    if (answer.status() != 0) {
      throw run.failed(primitive, "%s", GrantStatus.of(answer.status()));
    }
  }

  /** A card receives packets, and their pages become the front end's. */
  static boolean flip(DriverRun run) {
    Frontend frontend = Frontend.of(run);
    List<Gfn> pages = OwnDevices.take(run, run.script().pages());
    try {
      frontend.awaitTransfers();
      boolean arrived = true;
      for (int i = 0; i < pages.size(); i++) {
        byte[] packet = receive(run, pages.get(i));
        demand(
            run,
            "gnttab_transfer",
            new TransferGrant(pages.get(i), frontend.domain().id(), frontend.ref(i)));
        run.did("gnttab_transfer", "guest frame %s to %s", pages.get(i), frontend.domain().id());
        arrived &= run.holds(frontend.domain(), frontend.data().get(i), packet);
        arrived &= isInverse(run, frontend, frontend.data().get(i));
      }
      return arrived;
    } finally {
      frontend.end();
      frontend.refill();
      refill(run, pages);
    }
  }

  private static byte[] receive(DriverRun run, Gfn page) {
    byte[] packet = run.page();
    List<Long> bus = run.map(List.of(page), DmaDirection.FROM_DEVICE);
    run.write(bus.getFirst(), packet, run.meant(bus.getFirst(), run.domain(), page));
    run.unmap(bus, DmaDirection.FROM_DEVICE);
    return packet;
  }

  /** Whether frame and guest frame name each other. */
  private static boolean isInverse(DriverRun run, Frontend frontend, Gfn gfn) {
    Mfn mfn = frontend.domain().p2m().lookup(gfn).mfn();
    FrameTable frames = run.frames();
    return frames.owner(mfn.value()) == frontend.domain().id().value()
        && frames.m2p(mfn.value()) == gfn.value();
  }

  private static void refill(DriverRun run, List<Gfn> pages) {
    List<Gfn> gone =
        pages.stream().filter(page -> !run.domain().p2m().lookup(page).mfn().isValid()).toList();
    if (!gone.isEmpty()) {
      run.call(
          new PopulatePhysmap(
              DomainId.SELF, new GuestFrames.Listed(gone), Optional.empty(), 0, new Word(0)));
    }
    pages.forEach(page -> run.kernel().pages().giveBack(page, 0));
  }

  /** A card receives packets, which are copied to pages that the front end grants. */
  static boolean copy(DriverRun run) {
    Frontend frontend = Frontend.of(run);
    frontend.grant();
    List<Gfn> pages = OwnDevices.take(run, run.script().pages());
    try {
      boolean arrived = true;
      for (int i = 0; i < pages.size(); i++) {
        byte[] packet = receive(run, pages.get(i));
        var from = new CopyGrant.End(Optional.empty(), Optional.of(pages.get(i)), DomainId.SELF, 0);
        var to =
            new CopyGrant.End(
                Optional.of((long) frontend.ref(i)), Optional.empty(), frontend.domain().id(), 0);
        demand(run, "gnttab_copy", new CopyGrant(from, to, packet.length, DEST_GREF));
        run.did("gnttab_copy", "to grant %d of %s", frontend.ref(i), frontend.domain().id());
        arrived &= run.holds(frontend.domain(), frontend.data().get(i), packet);
      }
      return arrived;
    } finally {
      frontend.end();
      pages.forEach(page -> run.kernel().pages().giveBack(page, 0));
    }
  }
}
