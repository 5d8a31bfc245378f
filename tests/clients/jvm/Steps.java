import java.util.Objects;
import java.util.function.Function;

/** What a client is asked to do: one line of TAP for each step. */
class Steps {
    interface Step {
        void run() throws Exception;
    }

    private final String client;
    private final Function<Exception, String> codeOf;
    private boolean failed;

    /** {@code codeOf} gives what an error of the client has beside its message. */
    Steps(String client, Function<Exception, String> codeOf) {
        this.client = client;
        this.codeOf = codeOf;
    }

    void run(String name, Step step) {
        try {
            step.run();
            System.out.println("ok - " + client + ": " + name);
        } catch (Exception | AssertionError error) {
            fail(name, error);
        }
    }

    /** An error is due, whose code or message has this in it. */
    void refuses(String name, String due, Step step) {
        try {
            step.run();
        } catch (Exception error) {
            if ((codeOf.apply(error) + " " + error).contains(due)) {
                System.out.println("ok - " + client + ": refuses " + name);
            } else {
                fail("refuses " + name, error);
            }
            return;
        }
        fail("refuses " + name, new AssertionError("no error"));
    }

    /** What the database cannot do as yet; the error says so. The line tells when it can. */
    void lacks(String name, String due, Step step) {
        try {
            step.run();
        } catch (Exception | AssertionError error) {
            var causes = new StringBuilder(codeOf.apply(error instanceof Exception known ? known : null));
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                causes.append(' ').append(cause);
            }
            if (causes.toString().contains(due)) {
                System.out.println("ok - " + client + ": lacks " + name);
            } else {
                fail("lacks " + name, error);
            }
            return;
        }
        System.out.println("ok - " + client + ": no longer lacks " + name);
    }

    private void fail(String name, Throwable error) {
        failed = true;
        System.out.println("not ok - " + client + ": " + name);
        error.printStackTrace();
    }

    static void equal(Object due, Object found) {
        if (!Objects.equals(due, found)) {
            throw new AssertionError(found + " instead of " + due);
        }
    }

    void end() {
        System.exit(failed ? 1 : 0);
    }
}
