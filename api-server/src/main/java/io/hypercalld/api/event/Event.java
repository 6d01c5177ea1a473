package io.hypercalld.api.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.json.Shapes;
import io.hypercalld.core.notice.Notice;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened in a machine, with its place in the order of things. Thread-safe.
 *
 * <p>It is encoded when the first reader wants it, and then once for all of them.
 *
 * @see "CloudEvents 1.0.2, §3.1"
 */
public final class Event {
  private final long id;
  private final Notice notice;
  private final Moment moment;
  private final Subject subject;
  private volatile byte @Nullable [] json;
  private volatile byte @Nullable [] frame;

  /**
   * When it was, by three clocks, and who asked for it.
   *
   * @param base path of the machine's resources
   * @param time milliseconds since 1970
   * @param simTime nanoseconds since the machine started
   * @param revision of the machine after it
   * @param request empty where no request caused it
   */
  record Moment(String base, long time, long simTime, long revision, Optional<String> request) {}

  Event(long id, Notice notice, Moment moment) {
    this.id = id;
    this.notice = notice;
    this.moment = moment;
    this.subject = Subject.of(notice.about());
  }

  /** Greater than those of all events before it. */
  public long id() {
    return id;
  }

  Notice notice() {
    return notice;
  }

  Subject subject() {
    return subject;
  }

  long revision() {
    return moment.revision;
  }

  long time() {
    return moment.time;
  }

  /** The envelope on one line, in UTF-8; not to be changed. */
  byte[] json() {
    byte[] known = json;
    if (known == null) {
      known = Shapes.RESOURCES.encode(view());
      json = known;
    }
    return known;
  }

  /** As {@code text/event-stream} wants it; not to be changed. */
  byte[] frame() {
    byte[] known = frame;
    if (known == null) {
      known = frame(Optional.of(id), notice.kind().type(), json());
      frame = known;
    }
    return known;
  }

  static byte[] frame(Optional<Long> id, String type, byte[] data) {
    String head =
        id.map(number -> "id: " + number + "\n").orElse("") + "event: " + type + "\ndata: ";
    byte[] begin = head.getBytes(UTF_8);
    byte[] framed = new byte[begin.length + data.length + 2];
    System.arraycopy(begin, 0, framed, 0, begin.length);
    System.arraycopy(data, 0, framed, begin.length, data.length);
    framed[framed.length - 2] = '\n';
    framed[framed.length - 1] = '\n';
    return framed;
  }

  /** The envelope as a resource. */
  public View view() {
    return new View(
        "1.0",
        Long.toString(id),
        moment.base + subject.path(),
        notice.kind().type(),
        Instant.ofEpochMilli(moment.time).toString(),
        Long.toString(moment.simTime),
        Long.toString(moment.revision),
        moment.request,
        notice.about());
  }

  /**
   * An event by the member names of CloudEvents 1.0.
   *
   * @param data the particulars, which depend on the type
   */
  public record View(
      String specversion,
      String id,
      String source,
      String type,
      String time,
      String simtimens,
      String revision,
      Optional<String> requestid,
      Object data) {}
}
