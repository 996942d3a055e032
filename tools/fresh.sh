# shellcheck shell=bash
# For scripts that need a minimal Debian 12 in a folder (tools/try-fresh, tools/deb-test): sets it up in $system, with what this
# machine knows of its network. Expects $dir (for the log of debootstrap) and $system; needs root.

# The address of Debian's archive on this machine.
archive() {
    {
        sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p' /etc/apt/sources.list.d/*.sources
        sed -nE 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]+).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list
    } 2> /dev/null | grep -E '/debian/?$' | head -n 1
}

bootstrap() {
    [[ -e $system/.bootstrapped ]] && return
    local from
    from=$(archive)
    echo "${0##*/}: debootstrap from ${from:=http://deb.debian.org/debian}"
    debootstrap --variant=minbase bookworm "$system" "$from" > "$dir/debootstrap.log" 2>&1 || {
        tail -n 20 "$dir/debootstrap.log"
        return 1
    }
    touch "$system/.bootstrapped"
}

# What the machine knows of its network: sources, proxy, name server, certificates.
take_network_along() {
    local file key value
    rm -f "$system"/etc/apt/sources.list "$system"/etc/apt/sources.list.d/*
    cp /etc/apt/sources.list "$system/etc/apt/" 2> /dev/null
    cp /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$system/etc/apt/sources.list.d/" 2> /dev/null
    for file in /etc/apt/apt.conf.d/*; do
        grep -qE '^Acquire::(https?|Check)' "$file" && cp "$file" "$system/etc/apt/apt.conf.d/"
    done
    cp -L /etc/resolv.conf /etc/hosts "$system/etc/"
    mkdir -p "$system/usr/local/share/ca-certificates" "$system/root"
    cp /usr/local/share/ca-certificates/*.crt "$system/usr/local/share/ca-certificates/" 2> /dev/null
    : > "$system/root/.npmrc"
    if command -v npm > /dev/null; then
        for key in registry proxy https-proxy noproxy; do
            value=$(npm config get "$key" 2> /dev/null)
            [[ $value && $value != null && $value != undefined ]] && echo "$key=$value" >> "$system/root/.npmrc"
        done
    fi
}
