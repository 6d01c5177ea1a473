package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.BootKernel;
import io.hypercalld.api.machine.BootOptions;
import io.hypercalld.api.machine.CallKernel;
import io.hypercalld.api.machine.HaltKernel;
import io.hypercalld.api.machine.KernelCall;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.kernel.ContiguousRegions;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/domains/{d}/dma-api}: a guest's kernel as its drivers call it. Immutable. */
final class DmaApiRoutes {
  private static final String KERNEL = "/v1/domains/{d}/dma-api";

  /** Bytes that one call maps at most, and buffers of a list. */
  private static final int MOST_BYTES = 1 << 30;

  private static final int MOST_BUFFERS = 4096;

  private DmaApiRoutes() {}

  /**
   * How the kernel is booted; what is left out is as usual.
   *
   * @param slabs of the bounce pool, 2 KiB each, a multiple of 128
   * @param dmaBits how long the pool's machine addresses may be
   * @param batch whether it asks for all pages of a scatter list by one multicall; in mode vp only
   */
  record Boot(Optional<Integer> slabs, Optional<Integer> dmaBits, Optional<Boolean> batch) {
    BootOptions options() {
      return new BootOptions(slabs, dmaBits, batch.orElse(false));
    }
  }

  /**
   * A buffer to be mapped, unmapped or synchronised.
   *
   * @param address guest-physical to be mapped, on the bus once it is
   * @param maskBits bits of an address that the device can send, 64 where left out
   */
  record Single(
      String device,
      Word address,
      long length,
      DmaDirection direction,
      Optional<Integer> maskBits) {
    KernelCall.Range range() {
      return DmaApiRoutes.range(address, length, "/length");
    }
  }

  /** As for one buffer. */
  record Scattered(
      String device, List<Part> buffers, DmaDirection direction, Optional<Integer> maskBits) {
    List<KernelCall.Range> ranges() {
      if (buffers.isEmpty() || buffers.size() > MOST_BUFFERS) {
        throw InvalidBody.at("/buffers", "a list has 1 to %d buffers", MOST_BUFFERS);
      }
      return buffers.stream().map(part -> range(part.address, part.length, "/buffers")).toList();
    }
  }

  /** A buffer of a list. */
  record Part(Word address, long length) {}

  /**
   * A mapped buffer to be looked at.
   *
   * @param address within it, on the bus
   * @param direction {@code from_device} for the kernel to see what the device wrote, {@code
   *     to_device} for the contrary
   */
  record Synchronised(Word address, long length, DmaDirection direction) {}

  /** Memory to be shared with a device. */
  record Wanted(String device, long length, Optional<Integer> maskBits) {}

  /** Such memory, by its guest-physical address. */
  record Unwanted(Word address) {}

  /**
   * Pages whose frames are to follow each other, or not any more.
   *
   * @param order log2 of the pages
   * @param addressBits how long the machine addresses may be, in bits
   */
  record Region(Gfn gfn, int order, Optional<Integer> addressBits) {}

  static List<Route> routes() {
    return List.of(
        Route.get(KERNEL, "The kernel of a domain: its address mode, its bounce buffers and so on")
            .answering(KernelView.class)
            .on(DmaApiRoutes::view),
        Route.of(Method.PUT, KERNEL, "Boots the kernel of a domain, anew where one runs")
            .reading(Boot.class)
            .answering(KernelView.class)
            .on(DmaApiRoutes::boot),
        Route.of(Method.DELETE, KERNEL, "Halts the kernel of a domain: nothing stays mapped")
            .on(DmaApiRoutes::halt),
        call("map", "Maps a buffer for a device", Single.class, DmaApiRoutes::map),
        call("unmap", "Unmaps a buffer", Single.class, DmaApiRoutes::unmap),
        call("map-sg", "Maps several buffers, or none", Scattered.class, DmaApiRoutes::mapList),
        call("unmap-sg", "Unmaps several buffers", Scattered.class, DmaApiRoutes::unmapList),
        call(
            "sync",
            "Copies what was bounced before its time",
            Synchronised.class,
            DmaApiRoutes::sync),
        call(
            "alloc-coherent",
            "Allocates memory that a device uses at the same time",
            Wanted.class,
            DmaApiRoutes::allocate),
        call("free-coherent", "Frees such memory", Unwanted.class, DmaApiRoutes::free),
        call(
            "create-contiguous",
            "Exchanges frames for ones that follow each other; what is in the pages is lost",
            Region.class,
            request -> region(request, true)),
        call(
            "destroy-contiguous",
            "Exchanges frames that follow each other for others",
            Region.class,
            request -> region(request, false)));
  }

  /** What a request asks of the kernel. */
  private interface Understood extends Function<Request, KernelCall> {}

  private static Route call(String name, String summary, Class<?> body, Understood call) {
    return Route.of(Method.POST, KERNEL + "/" + name, summary)
        .reading(body)
        .answering(CallKernel.Answer.class)
        .on(request -> ask(request, call.apply(request)));
  }

  private static Function<Machine, Reply> ask(Request request, KernelCall call) {
    Names.DomainName name = Names.domain(request);
    return machine -> Reply.ok(machine.execute(new CallKernel(domain(machine, name).id(), call)));
  }

  private static Domain domain(Machine machine, Names.DomainName name) {
    return name.in(machine.hypervisor().domains());
  }

  private static Function<Machine, Reply> view(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> Reply.ok(KernelView.of(domain(machine, name)));
  }

  private static Function<Machine, Reply> boot(Request request) {
    Names.DomainName name = Names.domain(request);
    Boot boot = request.read(Boot.class);
    return machine -> {
      Domain domain = domain(machine, name);
      machine.execute(new BootKernel(domain.id(), boot.options()));
      return Reply.ok(KernelView.of(domain));
    };
  }

  private static Function<Machine, Reply> halt(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      machine.execute(new HaltKernel(domain(machine, name).id()));
      return Reply.done();
    };
  }

  private static KernelCall map(Request request) {
    Single one = request.read(Single.class);
    return new KernelCall.MapSingle(device(one.device, one.maskBits), one.range(), one.direction);
  }

  private static KernelCall unmap(Request request) {
    Single one = request.read(Single.class);
    return new KernelCall.Unmap(
        device(one.device, one.maskBits), List.of(one.range()), one.direction);
  }

  private static KernelCall mapList(Request request) {
    Scattered all = request.read(Scattered.class);
    return new KernelCall.MapList(device(all.device, all.maskBits), all.ranges(), all.direction);
  }

  private static KernelCall unmapList(Request request) {
    Scattered all = request.read(Scattered.class);
    return new KernelCall.Unmap(device(all.device, all.maskBits), all.ranges(), all.direction);
  }

  private static KernelCall sync(Request request) {
    Synchronised one = request.read(Synchronised.class);
    return new KernelCall.Sync(range(one.address, one.length, "/length"), one.direction);
  }

  private static KernelCall allocate(Request request) {
    Wanted wanted = request.read(Wanted.class);
    return new KernelCall.AllocateCoherent(
        device(wanted.device, wanted.maskBits), length(wanted.length, "/length"));
  }

  private static KernelCall free(Request request) {
    return new KernelCall.FreeCoherent(
        new Gfn(request.read(Unwanted.class).address.value() >>> 12));
  }

  private static KernelCall region(Request request, boolean contiguous) {
    Region region = request.read(Region.class);
    if (region.order < 0 || region.order > 30) {
      throw InvalidBody.at("/order", "an order is from 0 to 30");
    }
    int bits = region.addressBits.orElse(0);
    if (bits < 0 || bits > Long.SIZE) {
      throw InvalidBody.at("/addressBits", "an address has at most %d bits", Long.SIZE);
    }
    return new KernelCall.Region(
        region.gfn, region.order, new ContiguousRegions.AddressBits(bits), contiguous);
  }

  private static KernelCall.Device device(String name, Optional<Integer> maskBits) {
    int bits = maskBits.orElse(Long.SIZE);
    if (bits < 1 || bits > Long.SIZE) {
      throw InvalidBody.at("/maskBits", "a mask has 1 to %d bits", Long.SIZE);
    }
    return new KernelCall.Device(Names.sbdf(name), bits);
  }

  private static KernelCall.Range range(Word address, long length, String pointer) {
    if (address.value() < 0 || address.value() > Long.MAX_VALUE - MOST_BYTES) {
      throw InvalidBody.at(pointer, "%s is no address", address);
    }
    return new KernelCall.Range(address, length(length, pointer));
  }

  private static int length(long length, String pointer) {
    if (length < 1 || length > MOST_BYTES) {
      throw InvalidBody.at(pointer, "a buffer has 1 to %d bytes", MOST_BYTES);
    }
    return (int) length;
  }
}
