package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.guest.Emulation;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.time.VirtualClock;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestSlot;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoreqNotice;
import io.hypercalld.ioreq.server.Selection;
import java.util.Optional;

/**
 * Finds a server for what no memory answers, and hands it the request. Confined to the machine
 * thread.
 *
 * @see "xen/arch/x86/hvm/emulate.c, hvmemul_do_io; xen/common/ioreq.c, ioreq_send"
 */
final class IoDispatch implements Emulation {
  private static final int VGA_FIRST = 0xa_0000;
  private static final int VGA_LAST = 0xb_ffff;

  /** {@code XEN_X86_EMU_VGA}: the hypervisor takes part in emulating a display. */
  private static final long EMULATES_VGA = 0x40;

  private final MachineMemory memory;
  private final VirtualClock clock;

  IoDispatch(MachineMemory memory, VirtualClock clock) {
    this.memory = memory;
    this.clock = clock;
  }

  @Override
  public Answer access(MmioAccess access) {
    DomainIo io = access.domain().facet(DomainIo.class);
    IoRequest request =
        IoRequest.single(
            RequestType.COPY, access.gpa(), access.size(), !access.writes(), access.data());
    if (P2mType.IOREQ.contains(access.type())) {
      return owner(io, access.type())
          .map(owner -> claimed(io, access, owner, request))
          .orElseGet(() -> unclaimedPage(io, access));
    }
    return buffers(io, request) ? new Completed(0) : ask(io, access.vcpu(), request);
  }

  private Answer ask(DomainIo io, int vcpu, IoRequest request) {
    Optional<Selection.Target> target = Selection.of(io.servers(), request);
    return target.isPresent() ? send(io, vcpu, target.get(), false) : nobody(io, vcpu, request);
  }

  /** The server that claims a page's type. */
  static Optional<IoServer> owner(DomainIo io, P2mType type) {
    return P2mType.IOREQ.contains(type) ? io.servers().claims().of(type).owner() : Optional.empty();
  }

  /** Whether a server has to do with any of a request's bytes. */
  static boolean touches(DomainIo io, IoRequest request) {
    return Selection.explain(io.servers(), request).stream()
        .map(Selection.Asked::verdict)
        .anyMatch(
            verdict ->
                verdict == Selection.Verdict.SELECTED || verdict == Selection.Verdict.PARTIAL);
  }

  /**
   * Several elements at once that no memory and no device of the hypervisor's answers for.
   *
   * @param owner who claims the type of the page that they are in
   */
  Answer repeated(DomainIo io, int vcpu, IoRequest request, Optional<IoServer> owner) {
    return owner.isPresent()
        ? send(io, vcpu, new Selection.Target(owner.get(), request), !request.flags().reads())
        : ask(io, vcpu, request);
  }

  /** Sends every enabled server a request, for whose answers the vCPU waits. */
  void broadcast(DomainIo io, int vcpu, IoRequest request) {
    for (IoServer server : io.servers().all()) {
      if (server.isEnabled()
          && send(io, vcpu, new Selection.Target(server, request), false) instanceof Unhandled) {
        io.counters().countUnsent();
      }
    }
  }

  /** Puts a request into the ring of every enabled server that has one. */
  private static void broadcastBuffered(DomainIo io, IoRequest request) {
    for (IoServer server : io.servers().all()) {
      if (server.isEnabled()
          && server.mode() != BufferedMode.OFF
          && !buffer(io, new Selection.Target(server, request))) {
        io.counters().countUnsent();
      }
    }
  }

  private Answer claimed(DomainIo io, MmioAccess access, IoServer owner, IoRequest request) {
    io.vcpu(access.vcpu()).moved();
    return send(io, access.vcpu(), new Selection.Target(owner, request), access.writes());
  }

  private Answer unclaimedPage(DomainIo io, MmioAccess access) {
    Gfn gfn = new Gfn(access.gpa() >>> PageSize.SHIFT_4K);
    VcpuIo vcpu = io.vcpu(access.vcpu());
    return switch (io.servers().claims().policies().unclaimed()) {
      case REFUSE -> {
        vcpu.retried(gfn);
        yield new Again("no server has the page");
      }
      case RAM -> new Completed(inMemory(access, gfn));
      case DISCARD -> access.writes() ? new Dropped() : new Completed(inMemory(access, gfn));
    };
  }

  /** What the guest would have done itself, had the entry let it. */
  private long inMemory(MmioAccess access, Gfn gfn) {
    Domain domain = access.domain();
    long maddr = domain.p2m().lookup(gfn).mfn().maddr() + (access.gpa() & (PageSize.BYTES_4K - 1));
    byte[] bytes = new byte[access.size()];
    long number = 0;
    if (access.writes()) {
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (access.data() >>> (i * Byte.SIZE));
      }
      memory.write(maddr, bytes, 0, bytes.length);
      domain.logDirty().markDirty(gfn);
    } else {
      memory.read(maddr, bytes, 0, bytes.length);
      for (int i = 0; i < bytes.length; i++) {
        number |= Byte.toUnsignedLong(bytes[i]) << (i * Byte.SIZE);
      }
    }
    return number;
  }

  /** A port's access: completed with all ones, or zero for a write, where nobody answers. */
  Answer port(DomainIo io, PortAccess access) {
    if (io.isClock(access)) {
      return new Completed(clock(io, access));
    }
    if (!access.reads()) {
      io.servers().portLatch().write(access.port(), access.size(), access.data());
    }
    return ask(io, access.vcpu(), access.request());
  }

  private long clock(DomainIo io, PortAccess access) {
    if (access.reads()) {
      return io.realTimeClock().read(access.port(), clock.now());
    }
    io.realTimeClock()
        .write(access.port(), (int) access.data(), clock.now())
        .ifPresent(change -> broadcastBuffered(io, timeOffset(change)));
    return 0;
  }

  /** The guest set its clock: servers are told by how many seconds. */
  private static IoRequest timeOffset(long change) {
    return IoRequest.single(RequestType.TIMEOFFSET, 0, Long.BYTES, false, change);
  }

  private static Answer nobody(DomainIo io, int vcpu, IoRequest request) {
    io.counters().countUnclaimed(request.type());
    io.tell(
        IoreqNotice.UNCLAIMED,
        IoreqNotice.Request.of(
            io.domain().id(), vcpu, Optional.empty(), Optional.empty(), request));
    if (!request.flags().reads()) {
      io.noteLost(
          new DomainIo.LostWrite(
              vcpu, request.type(), new Word(request.address()), request.count() * request.size()));
    }
    return new Completed(request.cut(-1));
  }

  /** Whether a write to a display went into a server's ring, so that nobody waits for it. */
  private static boolean buffers(DomainIo io, IoRequest request) {
    long address = request.address();
    if (request.flags().reads()
        || address < VGA_FIRST
        || address > VGA_LAST
        || (io.domain().settings().platform().emulationFlags() & EMULATES_VGA) == 0) {
      return false;
    }
    Optional<Selection.Target> target = Selection.of(io.servers(), request);
    return target.isPresent() && buffer(io, target.get());
  }

  private static boolean buffer(DomainIo io, Selection.Target target) {
    IoServer server = target.server();
    boolean sent =
        server
            .pages()
            .ring()
            .map(ring -> ring.send(target.request(), server.mode() == BufferedMode.ATOMIC))
            .orElse(false);
    if (sent) {
      server.noteBuffered();
      io.counters().countSent(server.id(), target.request());
      io.tell(
          IoreqNotice.SENT,
          IoreqNotice.Request.of(
              io.domain().id(), 0, Optional.of(server.id()), Optional.empty(), target.request()));
      server.ringPort().ifPresent(port -> io.channels().notifyRemote(port));
    } else if (server.mode() != BufferedMode.OFF) {
      io.counters().countOverflow(server.id());
    }
    return sent;
  }

  private Answer send(DomainIo io, int vcpu, Selection.Target target, boolean claimed) {
    IoServer server = target.server();
    Optional<RequestSlot> slot = server.pages().slot(vcpu);
    int port = server.port(vcpu).orElse(0);
    if (slot.isEmpty() || !slot.get().isFree(port)) {
      return new Unhandled(obstacle(server, vcpu, slot, port));
    }
    slot.get().offer(target.request());
    io.channels().notifyRemote(port);
    var origin = new PendingIo.Origin(vcpu, io.next(), clock.now());
    PendingIo pending = new PendingIo(server, origin, target.request(), claimed, slot.get());
    io.add(pending);
    io.counters().countSent(server.id(), target.request());
    io.tell(IoreqNotice.SENT, pending);
    return new Waiting(server.id(), pending.number());
  }

  /** Why a request cannot be put into a slot. */
  private static String obstacle(IoServer server, int vcpu, Optional<RequestSlot> slot, int port) {
    if (slot.isEmpty()) {
      return "ioreq server %d has no page for requests".formatted(server.id());
    }
    String place = "the slot of vCPU %d at ioreq server %d".formatted(vcpu, server.id());
    return slot.get().state() == RequestSlot.NONE
        ? "%s names port %d, not %d".formatted(place, slot.get().port(), port)
        : "%s is in state %d".formatted(place, slot.get().state());
  }
}
