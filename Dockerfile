# The coordinator. Nothing of it is compiled: the sources run as they stand. No secret is needed to build it.
#   docker build -t cesta . && docker run --read-only --tmpfs /tmp -v cesta:/data -p 127.0.0.1:8787:8787 cesta
FROM node:20-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No script of a package is run: nothing is downloaded but what the lockfile names by its hash.
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:20-slim
# Others reach the port, so it speaks TLS: with a certificate made at the first start, unless CESTA_TLS_SELF is false
# and CESTA_TLS_CERT and CESTA_TLS_KEY, or CESTA_BEHIND_TLS_PROXY, are given.
ENV NODE_ENV=production CESTA_HOST=0.0.0.0 CESTA_PORT=8787 CESTA_DATA_DIR=/data CESTA_TLS_SELF=true
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json LICENSE ./
COPY shared ./shared
COPY client ./client
COPY server ./server
COPY scripts ./scripts
RUN install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["node", "--import", "tsx", "scripts/deployment/healthy.ts"]
ENTRYPOINT ["node", "scripts/cesta.mjs"]
CMD ["serve"]
