package rivals;

import java.net.InetAddress;

import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;

/** Who asks, as a broker knows it of a connection. */
record Connection(KafkaPrincipal principal, InetAddress clientAddress)
    implements AuthorizableRequestContext {

    static Connection of(String id) {
        return new Connection(new KafkaPrincipal(KafkaPrincipal.USER_TYPE, id),
            InetAddress.getLoopbackAddress());
    }

    @Override
    public String listenerName() {
        return "listener";
    }

    @Override
    public SecurityProtocol securityProtocol() {
        return SecurityProtocol.SASL_SSL;
    }

    @Override
    public int requestType() {
        return 0;
    }

    @Override
    public int requestVersion() {
        return 0;
    }

    @Override
    public String clientId() {
        return "client";
    }

    @Override
    public int correlationId() {
        return 0;
    }
}
