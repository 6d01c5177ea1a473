package io.hypercalld.api.machine;

import io.hypercalld.api.hypercall.Unimplemented;
import io.hypercalld.api.hypercall.WrongVersion;
import io.hypercalld.core.copy.Copies;
import io.hypercalld.core.copy.SelfCopying;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Every command that a machine has executed since it was booted, in order: the same on a machine of
 * the same platform end in the same state. Confined to the machine thread.
 *
 * <p>It belongs to the machine: a copy of one has what led to it. Commands that were refused are
 * among them, since even these are counted and may have been done in part.
 */
public final class Journal implements SelfCopying<Journal> {
  /** Commands that are kept. */
  public static final int MOST_COMMANDS = 1_000_000;

  /** Bytes of requests, which commands have to carry, that are kept. */
  public static final long MOST_BYTES = 64L << 20;

  private static final int CHUNK = 1024;

  /** Full ones, which nobody changes any more. */
  private final List<List<Entry>> chunks;

  private List<Entry> current;
  private long bytes;
  private boolean overrun;
  private int depth;

  /** Nothing has been executed. */
  Journal() {
    this(new ArrayList<>(), new ArrayList<>());
  }

  private Journal(List<List<Entry>> chunks, List<Entry> current) {
    this.chunks = chunks;
    this.current = current;
  }

  /** One command, as it came from outside. Immutable. */
  public sealed interface Entry {
    /**
     * Executes it again, refusals included.
     *
     * @param machine of the same platform, on which the same was executed before
     */
    void replay(Machine machine);
  }

  /**
   * A hypercall.
   *
   * @param whole whether it was made in one go, however many steps it took
   */
  public record Called(DomainId caller, Hypercall arguments, boolean whole) implements Entry {
    @Override
    public void replay(Machine machine) {
      if (whole) {
        machine.hypercalls().call(caller, arguments);
      } else {
        machine.hypercalls().start(caller, arguments);
      }
    }
  }

  /** A hypercall that was preempted went on. */
  public record Resumed(long number) implements Entry {
    @Override
    public void replay(Machine machine) {
      machine.hypercalls().resume(number);
    }
  }

  /** A command that is no hypercall. */
  public record Executed(MachineCommand<?> command) implements Entry {
    @Override
    public void replay(Machine machine) {
      try {
        machine.execute(command);
      } catch (Refusal refused) {
        // As it was the first time.
      }
    }
  }

  /** A command begins; those that it is made of are not kept. */
  void begin(Entry entry) {
    if (depth == 0) {
      keep(entry);
    }
    depth++;
  }

  /** The command that began last has ended. */
  void end() {
    depth--;
  }

  private void keep(Entry entry) {
    if (overrun || isNothing(entry)) {
      return;
    }
    current.add(entry);
    if (current.size() == CHUNK) {
      chunks.add(List.copyOf(current));
      current = new ArrayList<>();
    }
    giveUpWhereFull();
  }

  /** What is not there does nothing, and its arguments are not known. */
  private static boolean isNothing(Entry entry) {
    return entry instanceof Called(var _, Hypercall arguments, var _)
        && (arguments instanceof Unimplemented || arguments instanceof WrongVersion);
  }

  /** Commands came in a request of so many bytes, about as much as they hold. */
  public void weigh(long requestBytes) {
    bytes += requestBytes;
    giveUpWhereFull();
  }

  private void giveUpWhereFull() {
    if (size() > MOST_COMMANDS || bytes > MOST_BYTES) {
      overrun = true;
      chunks.clear();
      current = new ArrayList<>();
    }
  }

  /** Commands in it. */
  public long size() {
    return (long) chunks.size() * CHUNK + current.size();
  }

  /**
   * All of them in order; not changed by what is executed from now on.
   *
   * @throws Refusal ENOSPC there were too many, and none was kept
   */
  public List<List<Entry>> entries() {
    if (overrun) {
      throw Refusal.of(
          Errno.ENOSPC,
          "the journal has room for %d commands of %d bytes; it begins again with a reset",
          MOST_COMMANDS,
          MOST_BYTES);
    }
    return Stream.concat(chunks.stream(), Stream.of(List.copyOf(current))).toList();
  }

  @Override
  public Journal copy(Copies copies) {
    Journal copy = new Journal(new ArrayList<>(chunks), new ArrayList<>(current));
    copy.bytes = bytes;
    copy.overrun = overrun;
    copy.depth = depth;
    return copy;
  }
}
