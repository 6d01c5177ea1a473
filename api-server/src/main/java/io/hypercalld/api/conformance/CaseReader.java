package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.conformance.CorpusCase.After;
import io.hypercalld.api.conformance.CorpusCase.Change;
import io.hypercalld.api.conformance.CorpusCase.FaultRegisters;
import io.hypercalld.api.conformance.CorpusCase.Fill;
import io.hypercalld.api.conformance.CorpusCase.InterruptRule;
import io.hypercalld.api.conformance.CorpusCase.Message;
import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.api.conformance.CorpusCase.Updates;
import io.hypercalld.api.conformance.CorpusCase.Word;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads the cases of a corpus; every refusal is an {@link UnreadableRecording}. */
final class CaseReader {
  private static final int MOST_DEVICES = 0x100;
  private static final int REASONS = 0x100;
  private static final int WINDOW = 0x1_0000;
  private static final int MOST_BYTES = 1 << 24;
  private static final int COMMAND_REGISTER = 0x4;
  private static final int BUS_MASTER = 1 << 2;
  private static final List<String> PROCESSOR_FIELDS =
      List.of("vector", "delivery", "trigger", "dest", "dest_mode");

  private CaseReader() {}

  static CorpusCase read(JsonNode line) {
    Members all = new Members(line);
    String id = all.text("id");
    try {
      int width =
          all.child("variant")
              .orElseThrow(() -> new UnreadableRecording("no \"variant\""))
              .integer("aw_bits", Long.SIZE);
      return new CorpusCase(
          id,
          all.number("cap"),
          all.number("ecap"),
          width,
          all.list("devices", node -> new Members(node).sourceId("sid")),
          all.list("fills", CaseReader::fill),
          all.list("mem", CaseReader::word),
          all.list("steps", node -> step(new Members(node))),
          all.child("final").map(Members::numbers).orElse(Map.of()));
    } catch (UnreadableRecording e) {
      throw e.in(id);
    }
  }

  private static Word word(JsonNode pair) {
    return new Word(aligned(element(pair, 0)), element(pair, 1));
  }

  private static Fill fill(JsonNode pair) {
    long bytes = aligned(element(pair, 1));
    if (bytes < 0 || bytes > MOST_BYTES) {
      throw new UnreadableRecording("a fill of " + bytes + " bytes");
    }
    return new Fill(aligned(element(pair, 0)), bytes);
  }

  private static long aligned(long address) {
    if (address % Long.BYTES != 0) {
      throw new UnreadableRecording("no multiple of 8: " + Hex.of(address));
    }
    return address;
  }

  private static long element(JsonNode array, int index) {
    if (!array.has(index)) {
      throw new UnreadableRecording("an array of two is due, not " + array);
    }
    return Members.number(array.get(index));
  }

  private static Step step(Members step) {
    String operation = step.text("op");
    return switch (operation) {
      case "w32" -> write(step, Integer.BYTES);
      case "w64" -> write(step, Long.BYTES);
      case "r32" -> read(step, Integer.BYTES);
      case "r64" -> read(step, Long.BYTES);
      case "mem" -> new Step.MemoryEdit(step.list("writes", CaseReader::word));
      case "memr" ->
          new Step.MemoryRead(new Word(aligned(step.number("addr")), step.number("result")));
      case "dma" -> dma(step);
      case "msi" -> new Step.Msi(message(step), after(step));
      case "cfgw" -> configuration(step);
      case "faultregs" ->
          new Step.FaultCheck(
              faultRegisters(step, "result")
                  .orElseThrow(() -> new UnreadableRecording("no \"result\"")));
      default -> new Step.Unknown(operation);
    };
  }

  private static Step write(Members step, int bytes) {
    return new Step.RegisterWrite(
        step.integer("off", WINDOW),
        bytes,
        step.number("val"),
        step.list("vtd_msi", CaseReader::sent));
  }

  private static Step read(Members step, int bytes) {
    return new Step.RegisterRead(step.integer("off", WINDOW), bytes, step.number("result"));
  }

  private static Step configuration(Members step) {
    int offset = step.integer("off", WINDOW);
    return offset == COMMAND_REGISTER
        ? new Step.CommandWrite(
            step.integer("dev", MOST_DEVICES), (step.number("val") & BUS_MASTER) != 0)
        : new Step.Unknown("cfgw at " + Hex.of(offset));
  }

  private static Step dma(Members step) {
    List<Optional<Members>> rules =
        step.list(
            "uncached_spec",
            node -> node.isNull() ? Optional.empty() : Optional.of(new Members(node)));
    List<Segment> segments = new ArrayList<>();
    for (Members each : step.list("segs", Members::new)) {
      int index = segments.size();
      segments.add(segment(step, each, index < rules.size() ? rules.get(index) : Optional.empty()));
    }
    Transfer transfer =
        new Transfer(
            step.integer("dev", MOST_DEVICES),
            step.text("dir").equals("w"),
            step.number("iova"),
            step.integer("len", MOST_BYTES),
            step.has("data") ? new Bytes(Hex.bytes(step.text("data"))) : Bytes.NONE,
            step.list("fill_before", CaseReader::fill));
    Updates updates =
        new Updates(
            step.has("ad_ok"),
            step.list(
                "mem_changes",
                change ->
                    new Change(
                        aligned(element(change, 0)), element(change, 1), element(change, 2))),
            step.present("ad_deviation").map(JsonNode::asText));
    return new Step.Dma(transfer, segments, after(step), updates);
  }

  private static Transfer message(Members step) {
    int data = (int) step.number("data");
    byte[] bytes = {(byte) data, (byte) (data >> 8), (byte) (data >> 16), (byte) (data >> 24)};
    return new Transfer(
        step.integer("dev", MOST_DEVICES),
        true,
        step.number("addr"),
        bytes.length,
        new Bytes(bytes),
        List.of());
  }

  private static Segment segment(Members step, Members recorded, Optional<Members> rule) {
    Optional<Outcome> walked = rule.map(CaseReader::byWalk);
    List<Outcome> allowed = recorded.list("allowed", node -> Outcome.parse(node.asText()));
    return new Segment(
        recorded.number("iova"),
        observed(recorded),
        recorded.list("landed", Members::number),
        allowed.isEmpty() ? walked.map(List::of).orElse(List.of()) : allowed,
        walked,
        rule.flatMap(CaseReader::suppressedReason).filter(reason -> isOnly(reason, allowed)),
        rule.map(each -> each.list("updates", CaseReader::word)).orElse(List.of()),
        recorded.present("deviation").map(JsonNode::asText),
        reported(step, recorded),
        recorded.flag("iotlb_hit"),
        exemption(recorded, rule));
  }

  /** The fault that went to software, or would have, had there been room for it. */
  private static Optional<FaultRecord> reported(Members step, Members recorded) {
    return recorded
        .child("fault")
        .filter(_ -> !recorded.flag("fpd_suppressed") && !recorded.flag("silent_drop"))
        .map(
            fault ->
                new FaultRecord(
                    FaultRecord.dmaLo(
                        fault.optionalNumber("addr").orElseGet(() -> recorded.number("iova"))),
                    FaultRecord.F.of(1)
                        | FaultRecord.T1.of(isWrite(step, fault) ? 0 : 1)
                        | FaultRecord.FR.of(fault.integer("reason", REASONS))
                        | FaultRecord.SID.of((fault.has("sid") ? fault : step).sourceId("sid"))));
  }

  private static Segment.Exemption exemption(Members recorded, Optional<Members> rule) {
    if (recorded.flag("bus_master_off")) {
      return Segment.Exemption.BUS_MASTER_OFF;
    }
    if (recorded.flag("interrupt_range")
        || rule.filter(each -> isOfKind("intr", each)).isPresent()) {
      return Segment.Exemption.INTERRUPT_RANGE;
    }
    return recorded.flag("unobservable") ? Segment.Exemption.UNOBSERVABLE : Segment.Exemption.NONE;
  }

  private static boolean isOfKind(String kind, Members rule) {
    return rule.has("kind") && rule.text("kind").equals(kind);
  }

  /** What a walk of the tables as they are comes to. */
  private static Outcome byWalk(Members rule) {
    if (rule.flag("ok")) {
      return new Outcome.Passed(rule.number("gpa"));
    }
    return rule.flag("fpd")
        ? new Outcome.Suppressed()
        : new Outcome.Faulted(rule.integer("reason", REASONS));
  }

  private static Optional<Integer> suppressedReason(Members rule) {
    return rule.flag("fpd") && rule.has("reason")
        ? Optional.of(rule.integer("reason", REASONS))
        : Optional.empty();
  }

  /** Whether whatever is allowed is the same fault, told or not, so that nothing stale is. */
  private static boolean isOnly(int reason, List<Outcome> allowed) {
    return List.of(new Outcome.Suppressed(), new Outcome.Faulted(reason)).containsAll(allowed);
  }

  private static Optional<Outcome> observed(Members recorded) {
    if (recorded.flag("unobservable") || !recorded.has("ok")) {
      return Optional.empty();
    }
    if (recorded.flag("ok")) {
      return recorded.optionalNumber("gpa").map(Outcome.Passed::new);
    }
    // Without a fault, software cannot tell a suppressed one from none.
    return recorded.flag("fpd_suppressed")
        ? Optional.of(new Outcome.Suppressed())
        : recorded
            .child("fault")
            .<Outcome>map(fault -> new Outcome.Faulted(fault.integer("reason", REASONS)))
            .or(() -> Optional.of(new Outcome.Suppressed()));
  }

  private static boolean isWrite(Members step, Members fault) {
    return fault.has("write") ? fault.flag("write") : step.text("dir").equals("w");
  }

  private static After after(Members step) {
    return new After(
        faultRegisters(step, "regs"),
        step.list("vtd_msi", CaseReader::sent),
        step.child("spec_ir").map(CaseReader::interruptRule),
        step.present("ir_deviation").map(JsonNode::asText),
        step.has("ir_ok") && !step.flag("ir_ok"),
        interruptReason(step));
  }

  private static Optional<FaultReason> interruptReason(Members step) {
    return step.optionalNumber("ir_fault")
        .map(
            code ->
                FaultReason.of(code.intValue())
                    .orElseThrow(() -> new UnreadableRecording("no fault reason " + Hex.of(code))));
  }

  private static Message sent(JsonNode node) {
    Members message = new Members(node);
    return new Message(message.number("addr"), (int) message.number("data"));
  }

  private static Optional<FaultRegisters> faultRegisters(Members step, String name) {
    return step.child(name)
        .map(
            each ->
                new FaultRegisters(
                    each.number("fsts"), each.number("frcd_lo"), each.number("frcd_hi")));
  }

  private static InterruptRule interruptRule(Members rule) {
    if (!rule.flag("ok")) {
      return new InterruptRule(false, Map.of(), rule.integer("reason", REASONS), rule.flag("fpd"));
    }
    Map<String, Long> fields = new TreeMap<>();
    for (String field : PROCESSOR_FIELDS) {
      rule.optionalNumber(field).ifPresent(value -> fields.put(field, value));
    }
    return new InterruptRule(true, fields, 0, false);
  }
}
