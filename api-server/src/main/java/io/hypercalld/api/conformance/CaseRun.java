package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Message;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One case of a corpus, done again on a fresh machine. Confined to one thread. */
final class CaseRun {
  private final CorpusCase recorded;
  private final CaseMachine machine;
  private final Report report;
  private final RegisterCheck registers;
  private final DmaCheck dma;
  private final InterruptCheck interrupts;
  private final QueueWatch queue;

  private CaseRun(CorpusCase recorded, CaseMachine machine, Report report) {
    this.recorded = recorded;
    this.machine = machine;
    this.report = report;
    this.registers = new RegisterCheck(machine.unit, report);
    this.interrupts = new InterruptCheck(machine, registers);
    this.queue = new QueueWatch(machine, registers);
    this.dma = new DmaCheck(machine, registers, report);
  }

  /** Runs a case and reports how it went. */
  static void run(CorpusCase recorded, Report report) {
    try (CaseMachine machine = CaseMachine.of(recorded)) {
      new CaseRun(recorded, machine, report)
          .run()
          .ifPresentOrElse(wrong -> report.fail(recorded.id(), wrong), report::pass);
    }
  }

  private Optional<Mismatch> run() {
    List<Step> steps = recorded.steps();
    for (int index = 0; index < steps.size(); index++) {
      String place = "step " + index;
      Optional<Mismatch> wrong = step(steps.get(index), recorded.id() + " " + place);
      if (wrong.isPresent()) {
        return wrong.map(mismatch -> mismatch.at(place));
      }
    }
    return finalRegisters();
  }

  private Optional<Mismatch> step(Step step, String where) {
    return switch (step) {
      case Step.RegisterWrite write -> write(write);
      case Step.RegisterRead read ->
          registers.compare(
              "register " + Hex.of(read.offset()), read.offset(), read.bytes(), read.value());
      case Step.MemoryEdit edit -> {
        machine.edit(edit.words());
        yield Optional.empty();
      }
      case Step.MemoryRead read -> memory(read.word());
      case Step.Dma transfer -> dma(transfer, where);
      case Step.Msi message -> message(message);
      case Step.CommandWrite command -> {
        machine.setBusMaster(command.device(), command.busMaster());
        yield Optional.empty();
      }
      case Step.FaultCheck check -> registers.compare(check.registers());
      case Step.Unknown(String operation) -> {
        report.skip(where, "unknown operation " + operation);
        yield Optional.empty();
      }
    };
  }

  private Optional<Mismatch> write(Step.RegisterWrite write) {
    queue.before();
    if (write.bytes() == Long.BYTES) {
      machine.unit.write64(write.offset(), write.value());
    } else {
      machine.unit.write32(write.offset(), (int) write.value());
    }
    queue.after(write);
    return messages(write.messages());
  }

  private Optional<Mismatch> messages(List<Message> expected) {
    List<InterruptMessage> due =
        expected.stream()
            .map(each -> InterruptMessage.written(each.address(), each.data()))
            .toList();
    List<InterruptMessage> sent = machine.takeMessages();
    return sent.equals(due) || registers.isExcused(Consequence.FAULTS)
        ? Optional.empty()
        : Optional.of(new Mismatch("messages", due.toString(), sent.toString()));
  }

  private Optional<Mismatch> message(Step.Msi message) {
    Transfer transfer = message.transfer();
    return InterruptRange.contains(transfer.iova())
        ? interrupt(transfer, message.after())
        : plainWrite(transfer, message.after());
  }

  /** A write that only looks like a message goes the way of every write. */
  private Optional<Mismatch> plainWrite(Transfer transfer, CorpusCase.After after) {
    dma.request(transfer, 0, transfer.length());
    return after.registers().flatMap(registers::compare);
  }

  private Optional<Mismatch> interrupt(Transfer transfer, CorpusCase.After after) {
    after
        .interruptDeviation()
        .ifPresent(
            name -> {
              report.deviation(name);
              registers.excuse(Consequence.FAULTS, name);
            });
    InterruptOutcome outcome = interrupts.request(transfer);
    if (outcome instanceof InterruptOutcome.Delivered(var delivered, _)) {
      machine.forget(delivered);
    }
    return after
        .rule()
        .flatMap(rule -> interrupts.check(transfer, rule, outcome))
        .or(() -> after.registers().flatMap(registers::compare))
        .or(() -> messages(after.messages()));
  }

  private Optional<Mismatch> memory(CorpusCase.Word word) {
    long got = machine.word(word.address());
    return got == word.value() || registers.isExcused(Consequence.QUEUE)
        ? Optional.empty()
        : Optional.of(
            new Mismatch("memory " + Hex.of(word.address()), Hex.of(word.value()), Hex.of(got)));
  }

  private Optional<Mismatch> dma(Step.Dma transfer, String where) {
    if (transfer.after().rule().isPresent()) {
      return interrupt(transfer.transfer(), transfer.after());
    }
    transfer.transfer().fills().forEach(machine::fill);
    return dma.check(transfer, where)
        .or(() -> transfer.after().registers().flatMap(registers::compare))
        .or(() -> messages(transfer.after().messages()));
  }

  private Optional<Mismatch> finalRegisters() {
    int record = machine.unit.capabilities().faultRecordOffset(0);
    Map<String, Register> named =
        Map.of(
            "gsts", Register.GSTS,
            "fectl", Register.FECTL,
            "iqh", Register.IQH,
            "iqt", Register.IQT,
            "iqa", Register.IQA,
            "ics", Register.ICS,
            "iectl", Register.IECTL,
            "ccmd", Register.CCMD,
            "rtaddr", Register.RTADDR,
            "fsts", Register.FSTS);
    for (Map.Entry<String, Long> each : recorded.finalRegisters().entrySet()) {
      String name = "final " + each.getKey();
      Optional<Mismatch> wrong =
          switch (each.getKey()) {
            case "frcd_lo" -> registers.compare(name, record, Long.BYTES, each.getValue());
            case "frcd_hi" ->
                registers.compare(name, record + Long.BYTES, Long.BYTES, each.getValue());
            case "iotlb" ->
                registers.compare(
                    name, machine.unit.capabilities().iotlbOffset(), Long.BYTES, each.getValue());
            default ->
                Optional.ofNullable(named.get(each.getKey()))
                    .flatMap(
                        register ->
                            registers.compare(
                                name, register.offset(), register.bytes(), each.getValue()));
          };
      if (wrong.isPresent()) {
        return wrong;
      }
    }
    return Optional.empty();
  }
}
