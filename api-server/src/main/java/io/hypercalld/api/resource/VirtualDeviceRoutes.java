package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.RememberTranslations;
import io.hypercalld.api.machine.VirtualDma;
import io.hypercalld.api.machine.VirtualMsi;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.virtual.VirtualDevices.Answer;
import io.hypercalld.iommu.virtual.VirtualInterrupts;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/domains/{d}/virtual-devices/{bdf}}: devices that only a guest has. Immutable. */
final class VirtualDeviceRoutes {
  private static final String ONE = "/v1/domains/{d}/virtual-devices/{bdf}";
  private static final int MOST_ENTRIES = 1 << 16;

  private VirtualDeviceRoutes() {}

  /** How many translations the device remembers. */
  record Memory(int iotlbEntries) {}

  /** What a device is to do; a write carries its bytes, a read says how many. */
  record Transfer(
      DmaRoutes.Direction op, Word address, Optional<Integer> length, Optional<HexBytes> data) {}

  /** What became of it. */
  record TransferView(
      String outcome, Optional<HexBytes> data, List<PartView> parts, Optional<FaultView> fault) {}

  /**
   * The part in one page, with the answer of the translate call.
   *
   * @param permission 0 none, 1 read, 2 write, 3 both
   * @param cache hit where the device remembered the answer
   * @param problem why nothing moved although the guest's tables permit it
   */
  record PartView(
      Word iova,
      int length,
      Optional<Word> translatedAddr,
      Optional<Word> addrMask,
      Optional<Integer> permission,
      String cache,
      Optional<String> problem) {}

  /** Why the guest's tables block it. */
  record FaultView(String reason, String name, boolean recorded) {}

  /** An interrupt message. */
  record Message(Word address, Word data) {}

  /**
   * What became of it.
   *
   * @param outcome delivered, lost where no vCPU took it, posted, or blocked
   * @param index of the entry that remapped it
   */
  record MessageView(
      String outcome, List<Integer> vcpus, Optional<Integer> index, Optional<FaultView> fault) {}

  static List<Route> routes() {
    return List.of(
        Route.of(Method.PUT, ONE, "Says how many translations an emulated device remembers")
            .reading(Memory.class)
            .answering(Memory.class)
            .on(VirtualDeviceRoutes::remember)
            .guardedBy(DomainRoutes::show),
        Route.of(Method.POST, ONE + "/dma", "Has an emulated device read or write guest memory")
            .reading(Transfer.class)
            .answering(TransferView.class)
            .on(VirtualDeviceRoutes::transfer),
        Route.of(Method.POST, ONE + "/msi", "Has an emulated device send an interrupt message")
            .reading(Message.class)
            .answering(MessageView.class)
            .on(VirtualDeviceRoutes::send));
  }

  private static Function<Machine, Reply> remember(Request request) {
    Names.DomainName name = Names.domain(request);
    Sbdf device = Names.sbdf(request.place("bdf"));
    Memory wanted = request.read(Memory.class);
    if (wanted.iotlbEntries < 0 || wanted.iotlbEntries > MOST_ENTRIES) {
      throw InvalidBody.at("/iotlbEntries", "from 0 to %d", MOST_ENTRIES);
    }
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      int entries =
          machine.execute(new RememberTranslations(domain.id(), device, wanted.iotlbEntries));
      return Reply.ok(new Memory(entries));
    };
  }

  private static Function<Machine, Reply> transfer(Request request) {
    Names.DomainName name = Names.domain(request);
    Sbdf device = Names.sbdf(request.place("bdf"));
    Transfer body = request.read(Transfer.class);
    int length = length(body);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      VirtualDma.Result result =
          machine.execute(new VirtualDma(domain.id(), device, body.address, length, body.data));
      return Reply.ok(view(body, result));
    };
  }

  private static Function<Machine, Reply> send(Request request) {
    Names.DomainName name = Names.domain(request);
    Sbdf device = Names.sbdf(request.place("bdf"));
    Message message = request.read(Message.class);
    if (message.data.value() >>> Integer.SIZE != 0) {
      throw InvalidBody.at("/data", "a message has 32 bits");
    }
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      return Reply.ok(
          view(
              machine.execute(new VirtualMsi(domain.id(), device, message.address, message.data))));
    };
  }

  private static MessageView view(VirtualInterrupts.Delivery delivery) {
    List<Integer> vcpus = delivery.vcpus();
    return switch (delivery.outcome()) {
      case InterruptOutcome.Delivered(var _, var index) ->
          new MessageView(
              vcpus.isEmpty() ? "lost" : "delivered",
              vcpus,
              index.isPresent() ? Optional.of(index.getAsInt()) : Optional.empty(),
              Optional.empty());
      case InterruptOutcome.Posted(int index, long _, int _, var _) ->
          new MessageView("posted", vcpus, Optional.of(index), Optional.empty());
      case InterruptOutcome.Blocked(var reason, int index, boolean recorded) ->
          new MessageView(
              "blocked",
              vcpus,
              Optional.of(index),
              Optional.of(
                  new FaultView(
                      "0x" + Integer.toHexString(reason.code()), reason.text(), recorded)));
    };
  }

  private static int length(Transfer body) {
    boolean writes = body.op == DmaRoutes.Direction.WRITE;
    if (writes != body.data.isPresent() || writes == body.length.isPresent()) {
      throw InvalidBody.at("/op", "a write has data and a read a length");
    }
    int length = body.data.map(HexBytes::length).or(body::length).orElseThrow();
    if (length < 1 || length > MemoryRoutes.MOST_BYTES) {
      throw InvalidBody.at("/length", "from 1 to %d bytes go at once", MemoryRoutes.MOST_BYTES);
    }
    return length;
  }

  private static TransferView view(Transfer body, VirtualDma.Result result) {
    boolean reads = body.op == DmaRoutes.Direction.READ;
    return new TransferView(
        result.done() ? "done" : "blocked",
        reads && result.done() ? Optional.of(result.data()) : Optional.empty(),
        result.parts().stream().map(VirtualDeviceRoutes::view).toList(),
        result.parts().stream().flatMap(part -> fault(part).stream()).findFirst());
  }

  private static PartView view(VirtualDma.Part part) {
    Optional<Answer.Translated> page =
        part.told().answer() instanceof Answer.Translated translated
            ? Optional.of(translated)
            : Optional.empty();
    return new PartView(
        part.iova(),
        part.length(),
        page.map(Answer.Translated::translatedAddr),
        page.map(Answer.Translated::addrMask),
        page.map(Answer.Translated::permission),
        part.told().remembered() ? "hit" : "miss",
        part.problem());
  }

  private static Optional<FaultView> fault(VirtualDma.Part part) {
    return part.told().answer() instanceof Answer.Blocked(var reason, boolean recorded)
        ? Optional.of(
            new FaultView("0x" + Integer.toHexString(reason.code()), reason.text(), recorded))
        : Optional.empty();
  }
}
