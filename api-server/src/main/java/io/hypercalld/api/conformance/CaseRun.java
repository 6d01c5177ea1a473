package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.api.conformance.CorpusCase.Word;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One case of a corpus, done again on a fresh machine. Confined to one thread. */
final class CaseRun {
  private static final Map<String, Register> FINAL =
      Map.ofEntries(
          Map.entry("gsts", Register.GSTS),
          Map.entry("fectl", Register.FECTL),
          Map.entry("iqh", Register.IQH),
          Map.entry("iqt", Register.IQT),
          Map.entry("iqa", Register.IQA),
          Map.entry("irta", Register.IRTA),
          Map.entry("ics", Register.ICS),
          Map.entry("iectl", Register.IECTL),
          Map.entry("ccmd", Register.CCMD),
          Map.entry("rtaddr", Register.RTADDR),
          Map.entry("fsts", Register.FSTS));

  private final CorpusCase recorded;
  private final CaseMachine machine;
  private final Report report;
  private final RecordedMemory memory;
  private final RegisterCheck registers;
  private final DmaCheck dma;
  private final InterruptCheck interrupts;

  private CaseRun(CorpusCase recorded, CaseMachine machine, Report report) {
    this.recorded = recorded;
    this.machine = machine;
    this.report = report;
    this.memory = new RecordedMemory(machine);
    this.registers = new RegisterCheck(machine, memory, report);
    this.interrupts = new InterruptCheck(machine, registers, report);
    this.dma = new DmaCheck(machine, memory, registers, report);
  }

  /**
   * Runs a case and reports how it went.
   *
   * @param habits of the unit that answers
   * @throws UnreadableRecording where the case asks for what nothing can be
   */
  static void run(CorpusCase recorded, Habits habits, Report report) {
    try (CaseMachine machine = CaseMachine.of(recorded, habits)) {
      run(recorded, machine, report);
    } catch (UnreadableRecording e) {
      throw e.in(recorded.id());
    }
  }

  /** Runs a case on a machine that has its memory already. */
  static void run(CorpusCase recorded, CaseMachine machine, Report report) {
    new CaseRun(recorded, machine, report)
        .run()
        .ifPresentOrElse(wrong -> report.fail(recorded.id(), wrong), report::pass);
  }

  private Optional<Mismatch> run() {
    List<Step> steps = recorded.steps();
    for (int index = 0; index < steps.size(); index++) {
      String place = "step " + index;
      report.at(recorded.id(), place);
      Optional<Mismatch> wrong = step(steps.get(index), recorded.id() + " " + place);
      if (wrong.isPresent()) {
        return wrong.map(mismatch -> mismatch.at(place));
      }
    }
    report.at(recorded.id(), "final");
    return finalRegisters();
  }

  private Optional<Mismatch> step(Step step, String where) {
    return switch (step) {
      case Step.RegisterWrite write -> registers.write(write);
      case Step.RegisterRead read ->
          registers.compare(
              "register " + Hex.of(read.offset()), read.offset(), read.bytes(), read.value());
      case Step.MemoryEdit edit -> {
        edit(edit.words());
        yield Optional.empty();
      }
      case Step.MemoryRead read -> word(read.word());
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

  private void edit(List<Word> words) {
    machine.edit(words);
    words.forEach(word -> memory.isAsHere(word.address(), Long.BYTES));
  }

  private Optional<Mismatch> word(Word word) {
    long due = memory.word(word.address());
    return due == word.value() || !memory.isKnown(word.address(), Long.BYTES)
        ? Optional.empty()
        : Optional.of(
            new Mismatch("memory " + Hex.of(word.address()), Hex.of(word.value()), Hex.of(due)));
  }

  private Optional<Mismatch> message(Step.Msi message) {
    CorpusCase.After after = message.after();
    Optional<Mismatch> wrong =
        InterruptRange.contains(message.transfer().iova())
            ? after.rule().flatMap(rule -> interrupts.check(message.transfer(), after, rule, true))
            : plainWrite(message.transfer());
    return wrong.or(() -> seen(after));
  }

  /** A write that only looks like a message goes the way of every write. */
  private Optional<Mismatch> plainWrite(Transfer transfer) {
    DmaCheck.Result result = dma.request(transfer, 0, transfer.length());
    boolean translated = GlobalCommand.TE.isSet(machine.unit().read32(Register.GSTS.offset()));
    Outcome due = new Outcome.Passed(transfer.iova());
    return translated || result.outcome().equals(due)
        ? Optional.empty()
        : Optional.of(new Mismatch("outcome", due.toString(), result.outcome().toString()));
  }

  private Optional<Mismatch> dma(Step.Dma step, String where) {
    for (CorpusCase.Fill fill : step.transfer().fills()) {
      machine.fill(fill);
      memory.isAsHere(fill.address(), fill.bytes());
    }
    CorpusCase.After after = step.after();
    if (after.rule().isPresent()) {
      return interrupts
          .check(step.transfer(), after, after.rule().get(), false)
          .or(() -> seen(after));
    }
    boolean several =
        step.transfer().write()
            && step.segments().stream()
                .anyMatch(each -> each.exemption() == Segment.Exemption.INTERRUPT_RANGE);
    // D13: the recorded implementations make several interrupts of a longer write, this one none.
    return dma.check(step, where).or(() -> seen(several ? after.withoutMessages() : after));
  }

  /** What software sees after a request. */
  private Optional<Mismatch> seen(CorpusCase.After after) {
    return after
        .registers()
        .flatMap(registers::compare)
        .or(() -> registers.messages(after.messages()));
  }

  private Optional<Mismatch> finalRegisters() {
    int record = machine.unit().capabilities().faultRecordOffset(0);
    Optional<Mismatch> wrong = Optional.empty();
    for (Map.Entry<String, Long> each : recorded.finalRegisters().entrySet()) {
      String name = "final " + each.getKey();
      long value = each.getValue();
      wrong =
          wrong.or(
              () ->
                  switch (each.getKey()) {
                    case "frcd_lo" -> registers.compare(name, record, Long.BYTES, value);
                    case "frcd_hi" ->
                        registers.compare(name, record + Long.BYTES, Long.BYTES, value);
                    case "iotlb" ->
                        registers.compare(
                            name, machine.unit().capabilities().iotlbOffset(), Long.BYTES, value);
                    default -> finalRegister(name, each.getKey(), value);
                  });
    }
    return wrong;
  }

  private Optional<Mismatch> finalRegister(String name, String key, long value) {
    Register register = FINAL.get(key);
    if (register == null) {
      report.skip(recorded.id() + " " + name, "unknown register");
      return Optional.empty();
    }
    return registers.compare(name, register.offset(), register.bytes(), value);
  }
}
