#include "doctor/doctor.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

enum { GROUPS_MAX = 256 };

/* The unit's SupplementaryGroups= are not in the database of users; the group dialout of the
 * service's own user is taken as given. */
bool doctor_is_member(uid_t uid, gid_t gid)
{
    gid_t groups[GROUPS_MAX];
    int n = GROUPS_MAX;
    const struct passwd *user = getpwuid(uid);
    if (!user || getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (groups[i] == gid)
            return true;
    const struct group *g = strcmp(user->pw_name, "sedge") == 0 ? getgrgid(gid) : NULL;
    return g && strcmp(g->gr_name, "dialout") == 0;
}
