package io.hypercalld.api.resource;

import io.hypercalld.api.machine.AssertGsi;
import io.hypercalld.api.machine.DeviceInterrupt;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.SetBusMaster;
import io.hypercalld.api.machine.SetProcessor;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.interrupt.MsiSource;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/** The interrupts that devices and wires ask for. Immutable. */
final class InterruptRoutes {
  private InterruptRoutes() {}

  /**
   * A message that a device sends.
   *
   * @param pasid of the address space that the message names, which no remapped interrupt does
   */
  record Message(Word address, Word data, Optional<Integer> pasid) {}

  /** The command register of a device, as far as it matters here. */
  record CommandRegister(boolean busMaster) {}

  /** A message that the hypervisor gave a device. */
  record ProgrammedMessage(
      int irq,
      boolean msiX,
      int entry,
      int block,
      Word address,
      Word data,
      Optional<Integer> index,
      boolean masked,
      long writes,
      int processor,
      int vector,
      List<Integer> domains) {}

  /** Whether a processor is to be used. */
  record ProcessorChange(boolean online) {}

  /**
   * A processor.
   *
   * @param interrupts of the machine that go there, by number
   */
  record ProcessorView(int processor, boolean online, List<Integer> interrupts) {}

  static List<Route> routes() {
    return List.of(
        Route.of(Method.POST, DeviceRoutes.ONE + "/msi", "Has a device send an interrupt message")
            .reading(Message.class)
            .answering(ArrivalView.class)
            .on(InterruptRoutes::send),
        Route.get(DeviceRoutes.ONE + "/msi", "The messages that a device was programmed with")
            .answering(Page.ofItems(ProgrammedMessage.class))
            .on(InterruptRoutes::programmed),
        Route.of(Method.PUT, DeviceRoutes.ONE + "/command", "Sets a device's command register")
            .reading(CommandRegister.class)
            .answering(CommandRegister.class)
            .on(InterruptRoutes::command),
        Route.get("/_sim/processors", "The machine's processors, and what interrupts them")
            .answering(Page.ofItems(ProcessorView.class))
            .on(request -> InterruptRoutes::processors),
        Route.of(Method.PUT, "/_sim/processors/{processor}", "Takes a processor in or out of use")
            .reading(ProcessorChange.class)
            .answering(ProcessorView.class)
            .on(InterruptRoutes::setProcessor),
        Route.of(Method.POST, "/v1/machine/gsis/{gsi}", "Asserts a pin of the machine's I/O APICs")
            .answering(ArrivalView.class)
            .on(InterruptRoutes::assertGsi));
  }

  private static Function<Machine, Reply> send(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    Message message = request.read(Message.class);
    if (message.data.value() >>> Integer.SIZE != 0) {
      throw Failure.of(Problems.INVALID_PARAMETER, "data has 32 bits, not %s", message.data);
    }
    PasidPrefix prefix = message.pasid.map(DmaRoutes::inAddressSpace).orElse(PasidPrefix.NONE);
    return machine -> {
      DeviceRoutes.device(machine, sbdf);
      if (!machine.topology().require(sbdf).busMaster()) {
        return Reply.ok(ArrivalView.notSent("the function is not a bus master"));
      }
      Processors.Observed<InterruptOutcome> observed =
          machine.execute(new DeviceInterrupt(sbdf, prefix, message.address, message.data));
      return Reply.ok(ArrivalView.of(machine, observed, machine.scopes().unitOf(sbdf).orElse(-1)));
    };
  }

  private static Reply processors(Machine machine) {
    return Reply.ok(
        Page.whole(
            IntStream.range(0, machine.interrupts().processors().count())
                .<Object>mapToObj(processor -> view(machine, processor))
                .toList()));
  }

  private static ProcessorView view(Machine machine, int processor) {
    return new ProcessorView(
        processor,
        machine.interrupts().processors().isOnline(processor),
        machine.interrupts().machine().all().stream()
            .filter(interrupt -> interrupt.at().processor() == processor)
            .map(MachineInterrupt::number)
            .toList());
  }

  private static Function<Machine, Reply> setProcessor(Request request) {
    int processor = (int) Names.number(request, "processor");
    ProcessorChange wanted = request.read(ProcessorChange.class);
    return machine -> {
      machine.execute(new SetProcessor(processor, wanted.online));
      return Reply.ok(view(machine, processor));
    };
  }

  private static Function<Machine, Reply> assertGsi(Request request) {
    int gsi = (int) Names.number(request, "gsi");
    return machine -> {
      var observed = machine.execute(new AssertGsi(gsi));
      return Reply.ok(
          ArrivalView.ofAttempt(machine, observed, iommuOf(machine, gsi), "the pin is masked"));
    };
  }

  private static int iommuOf(Machine machine, int gsi) {
    return machine
        .interrupts()
        .machine()
        .ioApics()
        .get(gsi / io.hypercalld.iommu.interrupt.IoApicPin.PINS)
        .iommu();
  }

  private static Function<Machine, Reply> programmed(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine -> {
      DeviceRoutes.device(machine, sbdf);
      return Reply.ok(
          Page.whole(
              machine.interrupts().machine().messagesOf(sbdf).stream()
                  .<Object>map(InterruptRoutes::view)
                  .toList()));
    };
  }

  private static ProgrammedMessage view(MachineInterrupt interrupt) {
    MsiSource source = interrupt.message().orElseThrow();
    return new ProgrammedMessage(
        interrupt.number(),
        source.msiX(),
        source.entry(),
        source.block(),
        new Word(source.message().address()),
        new Word(Integer.toUnsignedLong(source.message().data())),
        source.index().isPresent() ? Optional.of(source.index().getAsInt()) : Optional.empty(),
        source.masked(),
        source.writes(),
        interrupt.at().processor(),
        interrupt.at().vector(),
        interrupt.guests().stream().map(guest -> guest.value()).toList());
  }

  private static Function<Machine, Reply> command(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    CommandRegister wanted = request.read(CommandRegister.class);
    return machine -> {
      DeviceRoutes.device(machine, sbdf);
      machine.execute(new SetBusMaster(sbdf, wanted.busMaster));
      return Reply.ok(wanted);
    };
  }
}
